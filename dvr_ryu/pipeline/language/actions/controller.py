"""CONTROLLER and controller(...): send the packet, or its beginning, to the controller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, one_of, reads
from dvr_ryu.pipeline.language.actions.output import Output
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.suggestions import did_you_mean

_PORT = numbers.RESERVED_PORTS["CONTROLLER"]
_WHOLE = ofp.OFPCML_NO_BUFFER

REASONS = {
    "no_match": 0,
    "action": 1,
    "invalid_ttl": 2,
    "action_set": 3,
    "group": 4,
    "packet_out": 5,
}
"""The reasons in a packet-in, by ovs-ofctl's names."""

_KEYS = ["max_len", "reason", "id", "userdata", "pause", "meter_id"]

_MAX_LEN, _ID, _REASON, _USERDATA, _PAUSE, _METER_ID = range(6)
"""NXAC2PT_*: the properties of Nicira's second controller action."""


@frozen
class Controller(Action):
    """Send the packet to the controllers of an id, with a reason; `userdata` goes with it. `pause`:
    the packet waits until a controller resumes it. `meter_id` limits how many are sent (0: none).
    """

    max_len: int = _WHOLE
    reason: str = "action"
    id: int = 0
    userdata: bytes = b""
    pause: bool = False
    meter_id: int = 0

    def __str__(self) -> str:
        tokens = []
        if self.reason != "action":
            tokens.append(f"reason={self.reason}")
        if self.max_len != _WHOLE:
            tokens.append(f"max_len={self.max_len}")
        if self.id:
            tokens.append(f"id={self.id}")
        if self.userdata:
            tokens.append(f"userdata={self.userdata.hex('.')}")
        if self.pause:
            tokens.append("pause")
        if self.meter_id:
            tokens.append(f"meter_id={self.meter_id}")
        return f"controller({','.join(tokens)})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionController, or Nicira's second one for its further properties."""
        reason = REASONS[self.reason]
        if not self.userdata and not self.pause and not self.meter_id:
            return [parser.NXActionController(self.max_len, self.id, reason)]
        return [nicira.controller2(self._properties())]

    def _properties(self) -> Iterator[tuple[int, bytes]]:
        """Only properties that are no defaults: Open vSwitch's dump leaves defaults out, too."""
        if self.max_len != _WHOLE:
            yield _MAX_LEN, _short(self.max_len)
        if self.id:
            yield _ID, _short(self.id)
        if self.reason != "action":
            yield _REASON, bytes([REASONS[self.reason]])
        if self.userdata:
            yield _USERDATA, self.userdata
        if self.pause:
            yield _PAUSE, b""
        if self.meter_id:
            yield _METER_ID, self.meter_id.to_bytes(4, "big")


def _short(value: int) -> bytes:
    return value.to_bytes(2, "big") + bytes(2)


@reads("controller")
def read_controller(scope: Scope, argument: Argument) -> Action:
    """CONTROLLER, CONTROLLER:BYTES, controller(KEY=VALUE,...)."""
    if re.match("[0-9]", argument.text):
        return Output(_PORT, scope.plain(argument.text, 16, argument.at))
    settings: dict[str, Any] = {}
    for setting in argument.settings():
        if setting.key not in _KEYS:
            hint = did_you_mean(setting.key, _KEYS) or f"; it has {', '.join(_KEYS)}"
            raise LineError(setting.at, f"controller has no '{setting.key}'{hint}")
        settings[setting.key] = _read_value(scope, setting.key, setting.value, setting.value_at)
    whole = Controller(**settings)
    only_length = Controller(max_len=whole.max_len) == whole
    return Output(_PORT, whole.max_len) if only_length else whole


def _read_value(scope: Scope, key: str, text: str, at: int) -> Any:
    if key == "reason":
        return one_of(REASONS, text, at, "reason")
    if key == "userdata":
        return read_hex(text, at)
    if key == "pause":
        return True
    return scope.plain(text, 32 if key == "meter_id" else 16, at)


def read_hex(text: str, at: int) -> bytes:
    """Bytes as pairs of hex digits; a point may stand between two pairs."""
    found = re.match(r"(?:[0-9a-fA-F]{2}\.?)*", text)
    assert found
    if found.end() < len(text):
        raise LineError(at + found.end(), "write pairs of hex digits, such as 0a.1b")
    return bytes.fromhex(text.replace(".", ""))
