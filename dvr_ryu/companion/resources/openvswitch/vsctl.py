"""Arguments of ovs-vsctl: transactions, settings, and the marks of a row's owner. Pure text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping

OWNER = "dvr_ryu"
"""The key of external_ids for a row's owner: the host's name, if the row is ours."""
BEFORE = "dvr_ryu_before"
"""The key of external_ids under which a row stores the settings from before us."""
PLUGGED = "dvr_ryu_plugged"
"""The key of a port's external_ids for the host whose companion uses it as an instance's, though
others plugged it in."""
TAG_BEFORE, OFPORT_BEFORE = "dvr_ryu_tag", "dvr_ryu_ofport"
"""The keys of such a port's external_ids for its tag and its interface's ofport_request before us,
each as ovs-vsctl prints it: a number, or []."""
NETNS = "dvr_ryu_netns"
"""The key of a port's external_ids that names the namespace of its device."""


def transaction(commands: Iterable[str]) -> str:
    """One call of ovs-vsctl: all of its commands take effect, or none."""
    return "ovs-vsctl " + " -- ".join(commands)


def settings(columns: Mapping[str, str]) -> str:
    """Columns, or keys of them, and their values, for ovs-vsctl's set."""
    return " ".join(f"{column}={shlex.quote(value)}" for column, value in columns.items())


def text(value: str) -> str:
    """A value in double quotes: ovs-vsctl reads it as text, with any content."""
    return json.dumps(value)
