"""A relay between switches and a controller, which passes all bytes on and records them with their
times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from threading import Thread

from attrs import field, frozen

from bench.rig.openflow import BARRIER_REPLY, FEATURES_REPLY, FLOW_STATS, Cutter, Message, changes

_READ = 1 << 20


@frozen
class Stream:
    """The bytes of one direction of a connection: pieces in order, each with its time
    (time.time).
    """

    _pieces: list[tuple[float, bytes]] = field(factory=list)

    def record(self, piece: bytes) -> None:
        """Record a piece."""
        self._pieces.append((time.time(), piece))

    def timed(self) -> Iterator[tuple[float, Message]]:
        """Each message so far, and the time when it was complete."""
        cutter = Cutter()
        for at, piece in tuple(self._pieces):
            for message in cutter.feed(piece):
                yield at, message

    def messages(self) -> list[Message]:
        """Each message so far."""
        return [message for _, message in self.timed()]


@frozen
class Tape:
    """The record of one connection."""

    switch: Stream = field(factory=Stream)
    controller: Stream = field(factory=Stream)

    def changes(self) -> list[Message]:
        """The messages of the controller that change flows, and its barriers."""
        return changes(self.controller.messages())

    def datapath_id(self) -> int:
        """The datapath id of the switch."""
        reply = next(each for each in self.switch.messages() if each.kind == FEATURES_REPLY)
        return int.from_bytes(reply.body[:8], "big")

    def requested_flows(self) -> float:
        """The time when the controller requested all flows (time.time, as everywhere here)."""
        return next(at for at, each in self.controller.timed() if each.is_about(FLOW_STATS))

    def sent_flows(self) -> float:
        """The time when the switch had sent all flows."""
        return max(at for at, each in self.switch.timed() if each.is_about(FLOW_STATS))

    def passed_barrier(self) -> float:
        """The time when the switch answered the last barrier."""
        return max(at for at, each in self.switch.timed() if each.kind == BARRIER_REPLY)


class Relay:
    """Listens on loopback for switches; `tapes` has a tape for each connection, oldest first."""

    def __init__(self, controller_port: int) -> None:
        self.tapes: list[Tape] = []
        self._controller_port = controller_port
        self._writers: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="relay")
        self._thread.start()
        listening = asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_READ, backlog=1024)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.target = f"tcp:127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Close every connection."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def _connected(
        self, switch: asyncio.StreamReader, to_switch: asyncio.StreamWriter
    ) -> None:
        tape = Tape()
        self.tapes.append(tape)
        controller, to_controller = await asyncio.open_connection(
            "127.0.0.1", self._controller_port, limit=_READ
        )
        self._writers += [to_switch, to_controller]
        await asyncio.gather(
            _pass_on(switch, to_controller, tape.switch),
            _pass_on(controller, to_switch, tape.controller),
        )


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: Stream
) -> None:
    """Pass on until one end closes; then close the other."""
    try:
        while piece := await reader.read(_READ):
            stream.record(piece)
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
