"""The controller's options: [dvr] in a --config-file of ryu-manager, else the environment.

Ryu's own options for switches' connections are read in `app`.
"""

from __future__ import annotations

import os
from pathlib import Path

from oslo_config import cfg
from ryu.cfg import CONF

from dvr_ryu.errors import DvrError
from dvr_ryu.pki.files import FOLDER
from dvr_ryu.shipped import flows_dir
from dvr_ryu.web.address import DEFAULT, OFF, PageAddress, page_address

PAGE = "[dvr] page"
"""The name of the page's option, in messages."""

_NOT_HERE = (
    "ofp_switch_address_list",
    "ofp_ssl_listen_port",
    "ctl_privkey",
    "ctl_cert",
    "ca_certs",
)
"""Options of Ryu's own listener, which `switch.listener` replaces."""

CONF.register_opts(
    [
        cfg.StrOpt("topology", help="the topology file"),
        cfg.StrOpt("flows", help="the folder of the pipelines; the shipped flows/ if not given"),
        cfg.StrOpt("pki", help=f"the folder of dvr pki init, for TLS; {FOLDER} if not given"),
        cfg.BoolOpt("tls", help="speak TLS though the topology says tcp:"),
        cfg.StrOpt("page", help=f"where the page is served, or {OFF}; {DEFAULT} if not given"),
    ],
    group="dvr",
)


def find_topology() -> Path:
    """The topology file: [dvr] topology, else DVR_TOPOLOGY, else ./topology.yaml, else
    /etc/dvr_ryu's.

    Raises DvrError where there is none.
    """
    named = CONF.dvr.topology or os.environ.get("DVR_TOPOLOGY")
    if named:
        return Path(named)
    usual = (Path("topology.yaml"), Path("/etc/dvr_ryu/topology.yaml"))
    for path in usual:
        if path.exists():
            return path
    raise DvrError(
        "no topology: name one in DVR_TOPOLOGY or as [dvr] topology in a --config-file, "
        f"or put it at {' or '.join(map(str, usual))}"
    )


def find_flows() -> Path:
    """The folder of the pipelines: [dvr] flows, else DVR_FLOWS, else the shipped flows/."""
    named = CONF.dvr.flows or os.environ.get("DVR_FLOWS")
    return Path(named) if named else flows_dir()


def find_pki() -> Path:
    """The folder of keys and certificates: [dvr] pki, else DVR_PKI, else /etc/dvr_ryu/pki."""
    return Path(CONF.dvr.pki or os.environ.get("DVR_PKI") or FOLDER)


def find_pages() -> list[PageAddress]:
    """Where the page is served: [dvr] page, else DVR_PAGE, else on loopback. Each has one or more
    addresses, with commas between them.
    """
    text = CONF.dvr.page or os.environ.get("DVR_PAGE") or DEFAULT
    addresses = (page_address(each.strip(), PAGE) for each in text.split(","))
    return [each for each in addresses if each]


def refuse_foreign() -> None:
    """Raise DvrError for an option of Ryu that does not hold here."""
    for option in _NOT_HERE:
        if CONF[option]:
            raise DvrError(
                f"--{option.replace('_', '-')} is not for dvr_ryu: switches call it, "
                "and for TLS the topology says controller: ssl:ADDRESS:PORT"
            )
