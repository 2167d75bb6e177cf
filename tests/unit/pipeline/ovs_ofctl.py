"""Flows as `ovs-ofctl` reads and prints them. No switch runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dvr_ryu.pipeline.language.cookie import COOKIE


def ofctl(*arguments: str) -> str:
    """What it prints; it must not complain."""
    done = subprocess.run(["ovs-ofctl", *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), arguments
    return done.stdout


def printed_flows(printed: str) -> list[str]:
    """The flows that ovs-ofctl prints, without what is each message's own."""
    return [line.partition(": ")[2] for line in printed.splitlines() if "FLOW_MOD" in line]


def by_ovs(lines: list[str], folder: Path) -> list[str]:
    """The flows of these lines, as it prints its own messages."""
    file = folder / "flows"
    file.write_text("".join(f"cookie={COOKIE:#x},{line}\n" for line in lines))
    return printed_flows(ofctl("--protocols=OpenFlow14", "parse-flows", str(file)))
