"""Fields whose bits have names: ovs-ofctl's notation for them, to and from value and mask.

`+syn-ack` matches some bits; `syn|ack`, or a number, matches all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from dvr_ryu.pipeline.language.numbers import read_int


@frozen(eq=False)
class Flags:
    """Bits by name. `noun` stands in messages."""

    noun: str
    bits: Mapping[str, int]

    @property
    def all(self) -> int:
        """All bits that have names."""
        return sum(self.bits.values())

    def read(self, text: str) -> tuple[int, int]:
        """Value and mask. Raises ValueError with a message for people."""
        if text[:1].isdigit():
            value, slash, mask = text.partition("/")
            return self._known(read_int(value)), self._known(read_int(mask)) if slash else self.all
        if text[:1] in ("+", "-"):
            return self._signed(text)
        return self._sum(text.split("|")), self.all

    def write(self, value: int, mask: int) -> str:
        """Value and mask as ovs-ofctl reads them again."""
        if mask == self.all:
            return "|".join(name for name, bit in self.bits.items() if value & bit) or "0"
        signs = {bit: "+" if value & bit else "-" for bit in self.bits.values()}
        return "".join(f"{signs[bit]}{name}" for name, bit in self.bits.items() if mask & bit)

    def _signed(self, text: str) -> tuple[int, int]:
        if not re.fullmatch(r"([+-][^+-]+)+", text):
            raise ValueError(f"'{text}' is not a list such as +{'-'.join([*self.bits][:2])}")
        wanted = re.findall(r"\+([^+-]+)", text)
        unwanted = re.findall(r"-([^+-]+)", text)
        return self._sum(wanted), self._sum(wanted + unwanted)

    def _sum(self, names: list[str]) -> int:
        for name in names:
            if name not in self.bits:
                raise ValueError(f"'{name}' is no {self.noun}; there are {', '.join(self.bits)}")
            if names.count(name) > 1:
                raise ValueError(f"'{name}' is there twice")
        return sum(self.bits[name] for name in names)

    def _known(self, number: int) -> int:
        if number & ~self.all:
            raise ValueError(f"{number:#x} has bits that are no {self.noun}")
        return number


@frozen(eq=False)
class Fragments:
    """The names of nw_frag, each a value and a mask of two bits: "fragment", "not the first"."""

    names: Mapping[str, tuple[int, int]]
    all: int = 3

    def read(self, text: str) -> tuple[int, int]:
        """Value and mask. Raises ValueError with a message for people."""
        if text not in self.names:
            raise ValueError(f"'{text}' is none of {', '.join(self.names)}")
        return self.names[text]

    def write(self, value: int, mask: int) -> str:
        """The name."""
        return next(name for name, bits in self.names.items() if bits == (value, mask))


def _numbered(names: str) -> dict[str, int]:
    return {name: 1 << at for at, name in enumerate(names.split())}


TCP_FLAGS = Flags(
    "TCP flag",
    _numbered("fin syn rst psh ack urg ece cwr ns [200] [400] [800]"),
)
CT_STATE = Flags("ct_state flag", _numbered("new est rel rpl inv trk snat dnat"))
TUN_FLAGS = Flags("tunnel flag", _numbered("oam"))
LATER = 2
"""nw_frag's bit of a fragment that is not the first."""
FRAGMENTS = Fragments(
    {"no": (0, 3), "yes": (1, 1), "first": (1, 3), "later": (2, 2), "not_later": (0, 2)}
)
