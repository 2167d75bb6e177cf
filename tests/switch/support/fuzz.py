"""A fuzzer of a controller's connections: `python -m tests.switch.support.fuzz PORT SEED INPUTS
RECORDED`.

It speaks for bridges that do not exist, advances to a random state, and then sends a message that
no switch sends: a crafted one, a mutated one of a recorded session, or random bytes. After each
input it sends an echo request: either the reply comes or the connection is closed; everything else
is a hang. The seed determines all choices. It prints one line of JSON: the number of inputs, the
states, and the number of hangs.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests import openflow_messages as of
from tests.switch.support.peers import Peer, State

BRIDGES = ("server-64/br-tun", "server-64/br-int", "server-68/br-tun", "server-68/br-int")
MOST_OF_A_CONNECTION = 40
"""A new connection begins after so many inputs, if the controller accepted all of them."""
WEIGHTS = {
    State.FRESH: 4, State.GREETED: 4, State.KNOWN: 2, State.NAMED: 2, State.READ: 2,
    State.CHANGING: 1, State.SETTLED: 1,
}  # fmt: skip
LENGTHS = (0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 39, 40, 48, 55, 56, 63, 64, 80, 1000, 32767, 65535)
ABOUTS = (*range(18), 0xFFFF, of.FLOWS, of.PORTS, of.DESCRIPTION, of.AGGREGATE)
KINDS = (*range(36), 99, 255, of.MULTIPART, of.MULTIPART, of.ERROR, of.PORT_STATUS)


class Fuzzer:
    """Makes inputs; `recorded` are the messages of a real session."""

    def __init__(self, seed: int, recorded: list[bytes]) -> None:
        self._random = random.Random(seed)
        self.bridge = BRIDGES[seed % len(BRIDGES)].encode()
        """The bridge that it speaks for, another one for each seed."""
        self._recorded = recorded
        self._makers: list[Callable[[int, int], bytes]] = [
            self._crafted, self._crafted, self._answer, self._answer, self._mutated, self._mutated,
            self._flood, self._noise,
        ]  # fmt: skip

    def state(self) -> State:
        """The state to advance to."""
        return self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def version(self) -> int:
        """The OpenFlow version."""
        return self._random.choice((of.V1_3, of.V1_4))

    def cuts_off(self) -> bool:
        """Whether to close the connection in the middle of the message."""
        return self._random.random() < 0.05

    def input(self, version: int, xid: int) -> bytes:
        """An input for a connection whose last request had this transaction id."""
        return self._random.choice(self._makers)(version, xid)

    def _length(self) -> int:
        return self._random.choice(LENGTHS)

    def _bytes(self, most: int = 64) -> bytes:
        size = self._random.randrange(most)
        return self._random.choice((bytes(size), self._random.randbytes(size)))

    def _crafted(self, version: int, xid: int) -> bytes:
        """A message of a random type, whose header may have a wrong length."""
        random = self._random
        claimed = self._length() if random.random() < 0.3 else None
        number = random.choice((version, version, version, version, *range(8), 255))
        return of.message(number, random.choice(KINDS), xid, self._bytes(200), claimed)

    def _answer(self, version: int, xid: int) -> bytes:
        """A message like an answer, whose inner lengths may be wrong."""
        random = self._random
        properties = struct.pack("!HH", random.choice((0, 1, 2, 0xFFFF)), self._length())
        port = bytearray(of.port(version, 1, b"x", properties + self._bytes(40)))
        port[4:6] = random.choice((port[4:6], self._length().to_bytes(2, "big")))
        entry = of.flow_entry(
            self._bytes(40),
            self._bytes(40),
            random.choice((None, self._length())),
            random.choice((None, self._length())),
            random.choice((0, 1, 1, 1)),
        )
        bodies = {
            of.FLOWS: of.flow_entry() * random.randrange(3) + entry,
            of.PORTS: bytes(port),
            of.DESCRIPTION: bytes(random.choice((1056, 1055, 0))),
        }
        about = random.choice(ABOUTS)
        body = bodies.get(about, struct.pack("!HH", self._length(), self._length()) * 8)
        choice = random.randrange(4)
        if choice == 0:
            return of.port_status(version, xid, random.randrange(4), bytes(port))
        if choice == 1:
            element = struct.pack("!HH", random.randrange(3), self._length()) + self._bytes(16)
            return of.message(random.randrange(8), of.HELLO, xid, element)
        return of.multipart(version, about, xid, body, random.choice((0, 0, of.MORE, 0xFFFF)))

    def _mutated(self, version: int, xid: int) -> bytes:
        """A recorded message with some changed bytes."""
        random = self._random
        content = bytearray(random.choice(self._recorded)[:4000])
        content[0] = version
        content[4:8] = xid.to_bytes(4, "big")
        for _ in range(random.randrange(1, 5)):
            at = random.randrange(min(len(content), random.choice((8, 24, 80, 4000))))
            content[at : at + 1] = random.choice(
                (b"", b"\0", b"\xff", b"\x01", b"\0\0", random.randbytes(1), random.randbytes(3))
            )
        if random.random() < 0.7 and len(content) >= of.HEADER.size:
            content[2:4] = len(content).to_bytes(2, "big")
        return bytes(content)

    def _flood(self, version: int, xid: int) -> bytes:
        """Many messages of a type that a switch may send."""
        random = self._random
        count = random.randrange(200)
        choices = (
            of.error(version, xid + random.randrange(1000)),
            of.message(version, of.PACKET_IN, 0, self._bytes()),
            of.message(version, of.ECHO_REQUEST, 1),
            of.port_status(version, 0, random.randrange(3), of.port(version, 1, b"x")),
            of.multipart(version, of.PORTS, xid, of.port(version, 1, b"x"), of.MORE),
            of.multipart(version, of.FLOWS, xid, of.flow_entry(), of.MORE),
        )
        return random.choice(choices) * count

    def _noise(self, version: int, xid: int) -> bytes:
        return self._random.randbytes(self._random.randrange(1, 100))


def missing(stream: bytes) -> int:
    """The number of bytes that the last message of a stream lacks."""
    at = 0
    while len(stream) - at >= of.HEADER.size:
        length = of.HEADER.unpack_from(stream, at)[2]
        if length < of.HEADER.size:
            return 0
        at += length
    return at - len(stream) if at > len(stream) else -(len(stream) - at) % of.HEADER.size


def run(port: int, fuzzer: Fuzzer, inputs: int, states: Counter[str], hung: list[str]) -> None:
    """Make so many inputs; note their states, and which of them were hangs."""
    while states.total() < inputs:
        state, version = fuzzer.state(), fuzzer.version()
        with Peer(port, fuzzer.bridge, version=version) as peer:
            try:
                peer.advance(state)
                for _ in range(MOST_OF_A_CONNECTION):
                    content = fuzzer.input(version, peer.xid)
                    states[state.value] += 1
                    if fuzzer.cuts_off():
                        peer.send(content[: len(content) // 2])
                        break
                    while gap := missing(content):
                        content += bytes(gap)
                    peer.send(content)
                    peer.echo()
            except ConnectionError:
                pass
            except TimeoutError:
                hung.append(f"{state.value}: {content.hex()}")


def main(port: str, seed: str, inputs: str, recorded: str) -> None:
    messages = [bytes.fromhex(line) for line in Path(recorded).read_text().split()]
    states, hung = Counter[str](), list[str]()
    run(int(port), Fuzzer(int(seed), messages), int(inputs), states, hung)
    print(json.dumps({"inputs": states.total(), "states": states, "hung": hung}))


if __name__ == "__main__":
    main(*sys.argv[1:])
