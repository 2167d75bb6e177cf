"""Open vSwitch's two datapaths: one file knows in what they differ for dvr_ryu."""

from __future__ import annotations

import ast
from pathlib import Path

from dvr_ryu.companion.resources.openvswitch import datapath
from dvr_ryu.companion.resources.openvswitch.datapath import NETDEV, SYSTEM

PACKAGE = Path(__file__).parents[3] / "dvr_ryu"
OTHERS = {
    "companion/providers/ovsdb/bridges.py",  # an interface's type
    "companion/check/firewall/nftables.py",  # a family of nftables
    "companion/providers/netlink/netfilter.py",
}
"""Files that mean something else by such a word."""


def test_each_type_has_its_datapath() -> None:
    assert datapath.datapath("system") is SYSTEM
    assert datapath.datapath("netdev") is NETDEV
    assert datapath.datapath("") is SYSTEM


def test_no_other_file_names_a_type() -> None:
    own = Path(datapath.__file__)
    named = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if file != own
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and node.value in (NETDEV.type, SYSTEM.type)
    }
    assert named <= OTHERS
