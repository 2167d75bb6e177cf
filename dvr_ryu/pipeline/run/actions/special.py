"""Runs the actions that neither send the packet nor change it: notes, samples and others."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.special import Conjunction, FinTimeout, Note, Sample
from dvr_ryu.pipeline.run.machine import Machine, runs


@runs(Note)
def note(machine: Machine, action: Note) -> None:
    """A note is for people."""
    del machine, action


@runs(Sample)
def sample(machine: Machine, action: Sample) -> None:
    """Collectors get some packets; nothing changes for this one."""
    machine.note(f"{action.probability} of 65535 such packets also go to collectors")


@runs(FinTimeout)
def fin_timeout(machine: Machine, action: FinTimeout) -> None:
    """Only the flow's timeouts change, after the end of a TCP connection."""
    del machine, action


@runs(Conjunction)
def conjunction(machine: Machine, action: Conjunction) -> None:
    """Look-ups use it; as an action it does nothing."""
    del machine, action
