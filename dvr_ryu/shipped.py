"""Locates the files that come with dvr_ryu: the pipelines (flows/) and the example topologies.

They are at the top of the source tree, and inside an installed package (setup.py puts them there).
This module does not read them.
"""

from __future__ import annotations

from pathlib import Path


def flows_dir() -> Path:
    """Return the folder of the pipelines: ``br-tun.flows``, ``br-int.flows``, ``experiments/``."""
    return _shipped("flows")


def examples_dir() -> Path:
    """Return the folder of the shipped topologies, such as ``human-defined-dvr.yaml``."""
    return _shipped("examples")


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parent
    in_wheel = package / "share" / name
    return in_wheel if in_wheel.is_dir() else package.parent / name
