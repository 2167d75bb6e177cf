"""The kernel's refusals, in words for people: what was asked, as a line of shell, and why not."""

from __future__ import annotations

from dvr_ryu.companion.facts.kinds import Fact
from dvr_ryu.companion.facts.words import describe
from dvr_ryu.errors import HostError


def refusal(fact: Fact, error: OSError) -> HostError:
    """The kernel's refusal to make or remove a fact, with what was asked."""
    return HostError(f"the kernel refuses: {describe(fact)}: {error.strerror}")
