"""Runs Graphviz's program dot, which lays pictures out. It writes no file."""

from __future__ import annotations

import subprocess

from dvr_ryu.errors import HostError
from dvr_ryu.graph.layout import Layout, read_layout
from dvr_ryu.packages import packages_of

PROGRAM = "dot"


def laid_out(text: str) -> Layout:
    """Where dot puts what a text in DOT has. Raises HostError if there is no Graphviz here."""
    try:
        done = subprocess.run([PROGRAM, "-Tjson0"], input=text.encode(), capture_output=True)
    except FileNotFoundError:
        raise HostError(
            f"there is no program '{PROGRAM}' here: install {packages_of([PROGRAM])}, "
            "or take --as dot, mermaid or text, which need none"
        ) from None
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{PROGRAM} refuses a picture: {why}")
    return read_layout(done.stdout.decode())
