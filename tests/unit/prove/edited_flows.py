"""The shipped pipelines with some lines replaced."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir

Edit = tuple[str, str, str]
"""Bridge, text, replacement."""

ACROSS: Edit = (
    "br-tun",
    "actions=strip_vlan,set_tunnel:{remote_port.vni},output:{remote_port.tunnel}",
    "actions=drop",
)
"""Nothing goes by a tunnel to a declared port."""


def edited(folder: Path, *edits: Edit) -> Pipelines:
    """The pipelines, written into `folder`; each text must be there once."""
    texts = {file.stem: file.read_text() for file in flows_dir().glob("*.flows")}
    for bridge, old, new in edits:
        assert texts[bridge].count(old) == 1, old
        texts[bridge] = texts[bridge].replace(old, new)
    for bridge, text in texts.items():
        (folder / f"{bridge}.flows").write_text(text)
    return load_pipelines(folder)
