"""Save a bridge's foreign flows to files while Open vSwitch forgets them. Pure text of a shell.

It forgets all flows of a bridge when controllers come or go.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.openvswitch.ofctl import NO_MATCH, OFCTL, OWN_DEFAULT
from dvr_ryu.pipeline.language.cookie import COOKIE, LEARNED

NOTES = f"{RUN_DIRECTORY}/flows"
"""One file per bridge whose foreign flows are to be restored."""
NOTES_BEFORE = f"{RUN_DIRECTORY}/flows_before"
"""One file per adopted bridge: the flows that it had when we took it into use."""
OUR_COOKIES = (COOKIE, LEARNED)

_OFCTL = " ".join(OFCTL)
_DUMP = f"{_OFCTL} --no-stats --no-names dump-flows"
DISPLACED = f"""\
awk 'function identity(flow) {{
  sub(/ actions=.*/, "", flow)
  gsub(/{NO_MATCH.pattern}/, "", flow)
  gsub(/^[ ,]+|[ ,]+$/, "", flow)
  return flow
}}
FNR == NR {{ ours[identity($0)] }}
FNR < NR && identity($0) in ours'"""
"""Of two files, the flows of the second with the table, priority and match of a flow of the
first."""


def note(bridge: str) -> str:
    """The file of the foreign flows while a bridge may lose them."""
    return f"{NOTES}/{bridge}"


def note_before(bridge: str) -> str:
    """The file of the flows that a bridge had before us."""
    return f"{NOTES_BEFORE}/{bridge}"


def note_lines(bridge: str, fail_mode: str) -> Iterator[str]:
    """Note the foreign flows."""
    patterns = [f"cookie={cookie:#x}" for cookie in OUR_COOKIES]
    if fail_mode != "secure":
        patterns.append(f"^{OWN_DEFAULT.pattern}$")
    ours = " ".join(f"-e '{pattern}'" for pattern in patterns)
    dump = f"{_DUMP} {bridge} | grep actions= | grep -vE {ours}"
    yield f"{dump} >> {note(bridge)} || :"


def note_before_line(bridge: str) -> str:
    """Note the same flows as the bridge's earlier ones, unless those are noted already."""
    before = note_before(bridge)
    return f"[ -e {before} ] || cp {note(bridge)} {before}"


def note_displaced_lines(bridge: str) -> Iterator[str]:
    """Note the flows from before us whose table, priority and match flows of ours have now."""
    before = note_before(bridge)
    yield f"touch {before}"
    ours = " ".join(f"-e cookie={cookie:#x}" for cookie in OUR_COOKIES)
    yield f"{_DUMP} {bridge} | grep {ours} | {DISPLACED} - {before} >> {note(bridge)}"


def remove_ours_lines(bridge: str) -> Iterator[str]:
    """Remove the flows of our controller."""
    for cookie in OUR_COOKIES:
        yield f"{_OFCTL} del-flows {bridge} cookie={cookie:#x}/-1"


def restore_lines(bridge: str) -> Iterator[str]:
    """Add the noted flows, and remove the note."""
    yield f"{_OFCTL} add-flows {bridge} {note(bridge)}"
    yield f"rm {note(bridge)}"
