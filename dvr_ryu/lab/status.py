"""What is in sync and what is not: the controller's status, and the states of companions.

It shows the lab that is up; without one this machine, which may be a host, the controller's, both
or neither.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.upkeep.reporting import STATE_FILE
from dvr_ryu.errors import DIFFERENT, DONE, DvrError
from dvr_ryu.lab import preflight
from dvr_ryu.lab.lifecycle import THE_LAB, running
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.web import client, status
from dvr_ryu.web.address import DEFAULT
from dvr_ryu.web.status import Document, time_text

USUAL = f"http://{DEFAULT}/"
"""Where the page of a controller on this machine is, unless its options say otherwise."""


@frozen
class Companion:
    """What the companion of a host has noted of itself."""

    host: str
    state: str
    since: float
    topology: str
    """The version of the topology that it has."""
    error: str
    running: bool

    def document(self) -> Document:
        """Plain data."""
        return {
            "state": self.state if self.running else "ended",
            "since": time_text(self.since),
            "error": self.error or None,
        }

    def in_sync(self, version: str | None) -> bool:
        """Whether it has applied this version of the topology; None stands for any."""
        return self.running and self.state == "applied" and version in (None, self.topology)


def companion(root: Path = Path("/")) -> Companion | None:
    """The companion of the host whose files are under `root`; None if there was none."""

    def read(text: str) -> Companion:
        known = json.loads(text)
        return Companion(
            str(known["host"]),
            str(known["state"]),
            float(known["since"]),
            str(known["topology"]),
            str(known["error"]),
            running=os.path.isdir(root / f"proc/{int(known['pid'])}"),
        )

    return notes.meaning(root / STATE_FILE.relative_to("/"), read)


def read(url: str | None = None, folder: StateFolder = THE_LAB) -> Document:
    """The status of the controller at `url`; without it that of the lab that is up or, if none is,
    of this machine. DvrError if there is nothing to show.
    """
    if url is not None:
        return put_together(client.fetch(url, status.PATH), {})
    if folder.path.exists():
        preflight.require_root()
        if folder.read() is not None:  # a lab host has such a folder, and no lab
            return _of_lab(folder)
    here = companion()
    try:
        found = client.fetch(USUAL, status.PATH)
    except client.NoAnswer as error:
        if here is None:
            raise DvrError(
                f"{error}; name its page: --url http://ADDRESS:PORT/. "
                "There is no lab and no companion here either"
            ) from None
        return put_together(None, {here.host: here})
    return put_together(found, {here.host: here} if here else {})


def _of_lab(folder: StateFolder) -> Document:
    state = running(folder)
    states = {name: companion(host.path("/")) for name, host in state.lab_hosts.items()}
    found = client.fetch(state.page, status.PATH)
    return put_together(found, {name: each for name, each in states.items() if each})


def put_together(found: Document | None, companions: Mapping[str, Companion]) -> Document:
    """The controller's document with the companions that are known here."""
    if found is None:
        hosts = [_unconnected(each) for each in companions.values()]
        found = {"controller": None, "hosts": hosts, "bridges": [], "in_sync": True}
    version = found["controller"] and found["controller"]["version"]
    hosts = [_host(each, companions.get(each["name"]), version) for each in found["hosts"]]
    in_sync = found["in_sync"] and all(each["in_sync"] for each in hosts)
    return {**found, "in_sync": in_sync, "hosts": hosts}


def _unconnected(companion: Companion) -> Document:
    return {"name": companion.host, "address": None, "connected": None, "in_sync": True}


def _host(host: Document, companion: Companion | None, version: str | None) -> Document:
    if companion is None:
        return {**host, "companion": None}
    in_sync = host["in_sync"] and companion.in_sync(version)
    return {**host, "in_sync": in_sync, "companion": companion.document()}


def exit_code(found: Document) -> int:
    """2 if anything is not in sync."""
    return DONE if found["in_sync"] else DIFFERENT
