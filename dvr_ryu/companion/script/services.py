"""NAT, DHCP and the programs that serve, in words of iptables and the shell. Pure text."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence

from dvr_ryu.companion.edges import firewall
from dvr_ryu.companion.edges.connections import NOTES, line
from dvr_ryu.companion.edges.dhcp import TOLD
from dvr_ryu.companion.edges.namespaces import by_place
from dvr_ryu.companion.edges.processes import DAEMONS, PLACE, with_script
from dvr_ryu.companion.edges.renewals import note
from dvr_ryu.companion.facts.dnsmasq import (
    LeaseBook,
    Renewal,
    StaleLease,
    Told,
    book_file,
    dhcp_server,
    leases_file,
    told_file,
)
from dvr_ryu.companion.facts.firewall import HookedChain
from dvr_ryu.companion.facts.kinds import Chain, Key, Process, Translation, pid_file
from dvr_ryu.companion.facts.words import describe, forgetting, hooking, inside


def make_chains(facts: Sequence[Chain], present: Collection[Key]) -> Iterator[str]:
    """Make all chains, empty, before rules name them."""
    for fact in facts:
        if fact.key in present:
            yield f"{_iptables(fact)} -F {fact.name}"
        elif not fact.name.isupper():
            yield f"{_iptables(fact)} -N {fact.name}"
    for fact in facts:
        for rule in fact.rules:
            yield f"{_iptables(fact)} -A {fact.name} {rule}"


def unmake_chains(facts: Sequence[Chain]) -> Iterator[str]:
    """Empty all chains before one is removed; the kernel's own stay."""
    for fact in facts:
        yield f"{_iptables(fact)} -F {fact.name}"
    for fact in facts:
        if not fact.name.isupper():
            yield f"{_iptables(fact)} -X {fact.name}"


def _iptables(fact: Chain) -> str:
    return f"{inside(fact.namespace)}iptables -t {fact.table}"


def make_hooked_chain(fact: HookedChain, old: HookedChain | None) -> Iterator[str]:
    """Note that there are such chains, then make one anew."""
    yield f": > {firewall.NOTE}"
    if old is not None:
        yield from _unhook(fact)
    yield from hooking(fact)


def unmake_hooked_chain(fact: HookedChain) -> Iterator[str]:
    """Take it out; with the last one, the note."""
    yield from _unhook(fact)
    yield f"iptables -S | grep -q '^-N dvr_ryu-' || rm -f {firewall.NOTE}"


def _unhook(fact: HookedChain) -> Iterator[str]:
    yield f"while iptables -D {fact.hook} {fact.jump} 2> /dev/null; do :; done"
    yield f"iptables -F {fact.name}"
    yield f"iptables -X {fact.name}"


def make_translation(fact: Translation) -> Iterator[str]:
    """Forget what began before; conntrack fails where there is nothing to forget."""
    yield f"{{ {forgetting(fact)}; }} > /dev/null 2>&1 || :"
    yield f"echo {line(fact)} >> {NOTES}/{fact.namespace}"


def unmake_translation(fact: Translation) -> Iterator[str]:
    """Forget what began under it, and the note of it; with the last one, the file."""
    note = f"{NOTES}/{fact.namespace}"
    yield f"{{ {forgetting(fact)}; }} > /dev/null 2>&1 || :"
    yield f"sed -i '/^{line(fact)}$/d' {note}"
    yield f"[ -s {note} ] || rm {note}"


def make_told(facts: Sequence[Told], present: Collection[Key]) -> Iterator[str]:
    """Write a line for each fact of one kind, instead of the one that may be there."""
    for namespace, group in by_place(facts):
        file = told_file(type(group[0]), namespace)
        for fact in group:
            if fact.key in present:
                yield _without(fact, file)
            yield describe(fact)
        yield from _tell(namespace, file)


def unmake_told(facts: Sequence[Told]) -> Iterator[str]:
    """Remove the lines of facts of one kind."""
    for namespace, group in by_place(facts):
        file = told_file(type(group[0]), namespace)
        for fact in group:
            yield _without(fact, file)
        yield from _tell(namespace, file)


def _without(fact: Told, file: str) -> str:
    start = fact.start.replace(".", "\\.")
    return f"sed -i '/^{start}\\(,\\|$\\)/d' {file}"


def _tell(namespace: str, file: str) -> Iterator[str]:
    """Tell the server to read the file, if it runs, and note what it was told."""
    pid = pid_file(dhcp_server(namespace))
    yield f'[ ! -s {pid} ] || kill -HUP "$(cat {pid})"'
    yield f"cp {file} {file}{TOLD}"


def make_renewal(fact: Renewal) -> Iterator[str]:
    """Let a client that runs ask again, and note what for."""
    pid = pid_file(fact.client)
    yield f"[ ! -s {pid} ] || {describe(fact)}"
    yield f"echo {fact.namespace} {fact.told} {fact.server} > {note(fact.client)}"


def unmake_renewal(fact: Renewal) -> Iterator[str]:
    """Forget what it asked for."""
    yield f"rm -f {note(fact.client)}"


def make_book(fact: LeaseBook) -> Iterator[str]:
    """Note whose leases there are."""
    yield describe(fact)


def unmake_book(fact: LeaseBook) -> Iterator[str]:
    """Forget them, and whose they were."""
    yield f"rm -f {leases_file(fact.namespace)} {book_file(fact.namespace)}"


def unmake_stale_lease(fact: StaleLease) -> Iterator[str]:
    """Take a lease out while the server does not run."""
    if fact.server:
        yield from unmake_process(fact.server)
    yield describe(fact)
    if fact.server:
        yield start_process(fact.server)


def make_process(fact: Process, old: Process | None) -> Iterator[str]:
    """Start a program; what runs in its stead is ended first, also that which served a device that
    has just been replaced.
    """
    if old is not None:
        yield from unmake_process(fact)
    else:
        end = "; ".join(unmake_process(fact))
        yield f"[ ! -s {pid_file(fact.name)} ] || {{ {end}; }}"
    yield start_process(fact)


def start_process(fact: Process) -> str:
    """Start a program that does not run."""
    command = f"{inside(fact.namespace)}{shlex.join(with_script(fact.argv))}"
    if fact.argv[0] in DAEMONS:
        return command
    return f"{PLACE}={fact.namespace} {command} < /dev/null > /dev/null 2>&1 &"


def unmake_process(fact: Process) -> Iterator[str]:
    """End a program, and wait until it has ended."""
    file = pid_file(fact.name)
    yield f'pid="$(cat {file})"'
    yield 'kill "$pid" || :'
    yield 'tail -s 0.1 --pid="$pid" -f /dev/null'
    yield f"rm -f {file}"
