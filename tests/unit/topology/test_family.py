"""What tells the families of IP apart: as Python and Linux have it."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from dvr_ryu.packages import PACKAGES
from dvr_ryu.topology.family import Family


@pytest.mark.parametrize(
    ("addresses", "family"),
    [
        (["10.0.0.1"], Family.IPV4),
        (["10.0.0.0/8", None], Family.IPV4),
        (["default", None], Family.IPV4),
        (["default", "fe80::1"], Family.IPV6),
        (["::/0"], Family.IPV6),
    ],
)
def test_the_family_of_addresses(addresses: list[str | None], family: Family) -> None:
    assert Family.of(*addresses) is family


def test_numbers_lengths_and_names_are_the_systems() -> None:
    assert (Family.IPV4.number, Family.IPV6.number) == (socket.AF_INET, socket.AF_INET6)
    for family in Family:
        address = "::1" if family is Family.IPV6 else "127.0.0.1"
        assert 8 * len(socket.inet_pton(family.number, address)) == family.bits
        assert Path("/proc/sys", family.sysctls).is_dir()
        for end in ("", "-save", "-restore"):
            program = f"{family.iptables}{end}"
            assert program in PACKAGES
            assert shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
