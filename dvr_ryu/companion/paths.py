"""The paths of the companion's files. Pure."""

from __future__ import annotations

RUN_DIRECTORY = "/run/dvr_ryu"
"""The directory of the companion's files that do not outlive a reboot."""
