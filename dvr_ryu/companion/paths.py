"""Where the companion keeps its files. Pure."""

from __future__ import annotations

RUN_DIRECTORY = "/run/dvr_ryu"
"""Where the companion keeps what does not outlive a reboot."""
