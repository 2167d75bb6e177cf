"""The messages that documents quote are those that the code has."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Of each message the words that are the same each time.
QUOTED = {
    "README.rst": (
        "one for the controller, and their underlay",
        "companions make bridges, namespaces and instances",
        "the controller fills the bridges",
        "instances get their addresses",
        "checks of connectivity and source addresses",
        *("DHCP lease", "gateway's ARP", "across hosts"),
        *("floating IP, inbound", "floating IP, outbound", "SNAT", "isolation", "does not answer"),
        "The lab stays up. You can now type:",
    ),
    "docs/tour.rst": (
        "lab host ",
        "and the logs in it",
        "no flow goes to",
        "no gateway ARP",
    ),
    "docs/topologies.rst": (
        "no subnet of ",
        *("hosts in force are not here", "they shall go: removed_hosts: ["),
    ),
    "docs/tunnels.rst": ("until then the file is not applied",),
    "docs/operations.rst": (
        *("listening on", "connected: OpenFlow", "flows of ours", "in sync:"),
        *("apt install", "answers with OpenFlow", "the kernel's openvswitch module"),
        "was here before dvr_ryu, which gives it back when it goes down",
        *("not ours: left alone", "not ours, in "),
    ),
    "docs/tls.rst": (
        *("The controller takes its files from", "Next, for each host:"),
        *("where the companion looks for it", "shows a certificate that has expired"),
        "shows a certificate of another authority",
        *("says that it is", "but its ", "shows no certificate", "has expired on"),
        *("is not signed by", "is the certificate of", "is missing", "expires on"),
        *("and the file says ssl:", "speaks TLS, and the file says tcp:"),
        "no bridge is connected to",
    ),
    "docs/faults.rst": (
        *("cannot write", "cannot be read: ", "; it counts as not there"),
        *("it gets no thread", "; see its limits", " of others"),
        "left alone, but packets",
        "somebody else changed",
    ),
}


@cache
def code() -> str:
    """All text in the package, in single spaces; what a message fills in is left out."""
    texts = []
    for file in sorted(ROOT.glob("dvr_ryu/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "…" for v in node.values]
                texts.append("".join(map(str, parts)))
    return " ".join(" ".join(texts).split())


@pytest.mark.parametrize("document", QUOTED)
def test_quoted_messages_are_in_the_document_and_in_the_code(document: str) -> None:
    written = " ".join(re.sub(r"\s+", " ", (ROOT / document).read_text(encoding="utf-8")).split())
    for text in QUOTED[document]:
        assert text in written
        assert text in code(), text
