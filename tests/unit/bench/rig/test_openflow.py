"""Messages are found in a stream, at any split into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.rig.openflow import (
    BARRIER_REQUEST,
    BUNDLE_ADD,
    BUNDLE_CONTROL,
    ECHO_REPLY,
    FLOW_STATS,
    HELLO,
    MULTIPART_REPLY,
    Cutter,
    Message,
    changes,
    flow_mods,
    multipart,
)

MESSAGES = st.lists(
    st.builds(Message, st.integers(0, 34), st.integers(0, 2**32 - 1), st.binary(max_size=40))
)


@given(MESSAGES, st.data())
def test_a_stream_is_cut_into_its_messages(messages: list[Message], data: st.DataObject) -> None:
    stream = b"".join(each.packed() for each in messages)
    cutter = Cutter()
    found: list[Message] = []
    while stream:
        length = data.draw(st.integers(1, len(stream)))
        found += cutter.feed(stream[:length])
        stream = stream[length:]
    assert found == messages


def test_an_incomplete_message_waits_for_its_rest() -> None:
    cutter, message = Cutter(), Message(HELLO, 7, b"more")
    assert list(cutter.feed(message.packed()[:-1])) == []
    assert list(cutter.feed(message.packed()[-1:])) == [message]


def test_messages_that_change_flows() -> None:
    adds = [BUNDLE_ADD] * 3
    kinds = [HELLO, BUNDLE_CONTROL, *adds, ECHO_REPLY, BUNDLE_CONTROL, BARRIER_REQUEST]
    messages = [Message(kind, xid, b"") for xid, kind in enumerate(kinds)]
    assert [each.xid for each in changes(messages)] == [1, 2, 3, 4, 6, 7]
    assert flow_mods(messages) == 3


def test_a_multipart_message() -> None:
    message = multipart(MULTIPART_REPLY, 1, FLOW_STATS, b"flows")
    assert message.is_about(FLOW_STATS) and not message.more
    assert message.content == b"flows"
