"""NAT, DHCP and the programs that serve, in words of iptables and the shell. Pure text."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence

from dvr_ryu.companion.providers.dnsmasq.servers import TOLD
from dvr_ryu.companion.providers.iptables import firewall
from dvr_ryu.companion.providers.netlink.conntrack import NOTES, line
from dvr_ryu.companion.providers.netlink.namespaces import by_namespace
from dvr_ryu.companion.providers.processes.processes import DAEMONS, PLACE, with_script
from dvr_ryu.companion.providers.processes.renewals import note
from dvr_ryu.companion.resources.describe import describe, forgetting, hooking, inside
from dvr_ryu.companion.resources.dhcp.files import book_file, dhcp_server, leases_file
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook, StaleLease
from dvr_ryu.companion.resources.dhcp.lines import Line, lines_file
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.process import Process, pid_file
from dvr_ryu.companion.resources.resource import Key


def make_chains(resources: Sequence[Chain], present: Collection[Key]) -> Iterator[str]:
    """Make all chains, empty, before rules name them."""
    for resource in resources:
        if resource.key in present:
            yield f"{_iptables(resource)} -F {resource.name}"
        elif not resource.name.isupper():
            yield f"{_iptables(resource)} -N {resource.name}"
    for resource in resources:
        for rule in resource.rules:
            yield f"{_iptables(resource)} -A {resource.name} {rule}"


def unmake_chains(resources: Sequence[Chain]) -> Iterator[str]:
    """Empty all chains before one is removed; the kernel's own stay."""
    for resource in resources:
        yield f"{_iptables(resource)} -F {resource.name}"
    for resource in resources:
        if not resource.name.isupper():
            yield f"{_iptables(resource)} -X {resource.name}"


def _iptables(resource: Chain) -> str:
    return f"{inside(resource.namespace)}iptables -t {resource.table}"


def make_hooked_chain(resource: HookedChain, old: HookedChain | None) -> Iterator[str]:
    """Note that there are such chains, then make one anew."""
    yield f": > {firewall.NOTE}"
    if old is not None:
        yield from _unhook(resource)
    yield from hooking(resource)


def unmake_hooked_chain(resource: HookedChain) -> Iterator[str]:
    """Take it out; with the last one, the note."""
    yield from _unhook(resource)
    yield f"iptables -S | grep -q '^-N dvr_ryu-' || rm -f {firewall.NOTE}"


def _unhook(resource: HookedChain) -> Iterator[str]:
    yield f"while iptables -D {resource.hook} {resource.jump} 2> /dev/null; do :; done"
    yield f"iptables -F {resource.name}"
    yield f"iptables -X {resource.name}"


def make_translation(resource: Translation) -> Iterator[str]:
    """Forget what began before; conntrack fails where there is nothing to forget."""
    yield f"{{ {forgetting(resource)}; }} > /dev/null 2>&1 || :"
    yield f"echo {line(resource)} >> {NOTES}/{resource.namespace}"


def unmake_translation(resource: Translation) -> Iterator[str]:
    """Forget what began under it, and the note of it; with the last one, the file."""
    note = f"{NOTES}/{resource.namespace}"
    yield f"{{ {forgetting(resource)}; }} > /dev/null 2>&1 || :"
    yield f"sed -i '/^{line(resource)}$/d' {note}"
    yield f"[ -s {note} ] || rm {note}"


def make_told(resources: Sequence[Line], present: Collection[Key]) -> Iterator[str]:
    """Write a line for each resource of one kind, instead of the one that may be there."""
    for namespace, group in by_namespace(resources):
        file = lines_file(type(group[0]), namespace)
        for resource in group:
            if resource.key in present:
                yield _without(resource, file)
            yield describe(resource)
        yield from _tell(namespace, file)


def unmake_told(resources: Sequence[Line]) -> Iterator[str]:
    """Remove the lines of resources of one kind."""
    for namespace, group in by_namespace(resources):
        file = lines_file(type(group[0]), namespace)
        for resource in group:
            yield _without(resource, file)
        yield from _tell(namespace, file)


def _without(resource: Line, file: str) -> str:
    start = resource.start.replace(".", "\\.")
    return f"sed -i '/^{start}\\(,\\|$\\)/d' {file}"


def _tell(namespace: str, file: str) -> Iterator[str]:
    """Tell the server to read the file, if it runs, and note what it was told."""
    pid = pid_file(dhcp_server(namespace))
    yield f'[ ! -s {pid} ] || kill -HUP "$(cat {pid})"'
    yield f"cp {file} {file}{TOLD}"


def make_renewal(resource: Renewal) -> Iterator[str]:
    """Let a client that runs ask again, and note what for."""
    pid = pid_file(resource.client)
    yield f"[ ! -s {pid} ] || {describe(resource)}"
    yield f"echo {resource.namespace} {resource.told} {resource.server} > {note(resource.client)}"


def unmake_renewal(resource: Renewal) -> Iterator[str]:
    """Forget what it asked for."""
    yield f"rm -f {note(resource.client)}"


def make_book(resource: LeaseBook) -> Iterator[str]:
    """Note whose leases there are."""
    yield describe(resource)


def unmake_book(resource: LeaseBook) -> Iterator[str]:
    """Forget them, and whose they were."""
    yield f"rm -f {leases_file(resource.namespace)} {book_file(resource.namespace)}"


def unmake_stale_lease(resource: StaleLease) -> Iterator[str]:
    """Take a lease out while the server does not run."""
    if resource.server:
        yield from unmake_process(resource.server)
    yield describe(resource)
    if resource.server:
        yield start_process(resource.server)


def make_process(resource: Process, old: Process | None) -> Iterator[str]:
    """Start a program; what runs in its stead is ended first, also that which served a device that
    has just been replaced.
    """
    if old is not None:
        yield from unmake_process(resource)
    else:
        end = "; ".join(unmake_process(resource))
        yield f"[ ! -s {pid_file(resource.name)} ] || {{ {end}; }}"
    yield start_process(resource)


def start_process(resource: Process) -> str:
    """Start a program that does not run."""
    command = f"{inside(resource.namespace)}{shlex.join(with_script(resource.argv))}"
    if resource.argv[0] in DAEMONS:
        return command
    return f"{PLACE}={resource.namespace} {command} < /dev/null > /dev/null 2>&1 &"


def unmake_process(resource: Process) -> Iterator[str]:
    """End a program, and wait until it has ended."""
    file = pid_file(resource.name)
    yield f'pid="$(cat {file})"'
    yield 'kill "$pid" || :'
    yield 'tail -s 0.1 --pid="$pid" -f /dev/null'
    yield f"rm -f {file}"
