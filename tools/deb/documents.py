"""Write the package's manual pages and completions, of the commands and the keys. Pure."""

from __future__ import annotations

import re

from docutils.core import publish_string

from dvr_ryu.cli import cli
from dvr_ryu.cli.completion import script
from dvr_ryu.cli.reference import reference as commands
from dvr_ryu.topology.spec.reference import reference as topology

COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/dvr",
    "zsh": "usr/share/zsh/vendor-completions/_dvr",
    "fish": "usr/share/fish/vendor_completions.d/dvr.fish",
}
"""Shell → where Debian's one looks for completions."""
SEE_ALSO = """
See also
--------

``dvr-topology(5)``, ``ovs-vsctl(8)``, ``ovs-ofctl(8)``, ``/usr/share/doc/dvr-ryu/README.Debian``
"""


def manual_pages() -> dict[str, str]:
    """The manual pages, by the names of their files."""
    return {
        "dvr.1": manual_page("dvr", 1, "distributed virtual router", commands(cli) + SEE_ALSO),
        "dvr-topology.5": manual_page("dvr-topology", 5, "the topology file of dvr", topology()),
    }


def manual_page(name: str, section: int, what: str, text: str) -> str:
    """A document of RST as a manual page. Its comment and its title give way to the page's own."""
    body = re.sub(r"\A\.\. .*?\n\n.*?\n=+\n", "", text, flags=re.S)
    title, subtitle = f"{name}\n{'#' * len(name)}\n", f"{what}\n{'~' * len(what)}\n"
    head = f"{title}\n{subtitle}\n:Manual section: {section}\n"
    settings = {"halt_level": 2, "report_level": 2, "output_encoding": "unicode"}
    page = str(publish_string(f"{head}{body}", writer="manpage", settings_overrides=settings))
    return page.replace(".SH Name\n", ".SH NAME\n", 1)  # man -k knows it in capitals only


def completions() -> dict[str, str]:
    """The completions of dvr, by their paths."""
    return {path: script(cli, shell) for shell, path in COMPLETIONS.items()}
