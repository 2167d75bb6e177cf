"""Check the lines of `expect:`: their ends exist, and no two contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.expectation import OUTSIDE
from dvr_ryu.topology.reserved import reserved_as
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.wording import listed, suggestion


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every end that the file does not have, and every line about a packet of another line."""
    ends = _Ends(spec, findings)
    once = Unique(findings, "{value} is expected already (line {line}); remove one of the two")
    for index, each in enumerate(spec.expect):
        path: Path = ("expect", index)
        ends.check_sender((*path, "from"), each.from_)
        ends.check_receiver((*path, "to"), each.to)
        packet = f"'{each.from_}' to '{each.to}'{f' {each.port}' if each.port else ''}"
        once.claim((each.from_, each.to, each.port), Claim("", path), packet)


class _Ends:
    """The names and addresses that may be an end."""

    def __init__(self, spec: TopologySpec, findings: Findings) -> None:
        self._spec = spec
        self._findings = findings
        self._names = [*(findings.names("instances") or ()), *(findings.names("hosts") or ())]

    def check_sender(self, path: Path, word: str) -> None:
        address = _address(word)
        if address is None:
            self._check_name(path, word)
            return
        owners = [*self._owners(address)]
        if len(owners) > 1:
            self._report(path, f"{word} is an address of {listed(owners)}; write one of the names")
        elif not owners:
            message = f"the file pins {word} for no instance and no host"
            self._report(path, f"{message}; write the sender's name")

    def check_receiver(self, path: Path, word: str) -> None:
        address = _address(word)
        if address is None:
            self._check_name(path, word)
        elif purpose := reserved_as(address):
            self._report(path, f"{word} is {purpose}, which no machine can have; take another")
        elif not self._is_known(address):
            message = f"no network of the file has {word}, and no host"
            self._report(path, f"{message}; write an address of one, or {OUTSIDE}")

    def _check_name(self, path: Path, word: str) -> None:
        name, colon, card = word.partition(":")
        if word in self._names:
            return
        if word == OUTSIDE:
            if not any(each.gateway_host for each in self._spec.networks.values()):
                message = f"no external network has a gateway_host, where '{OUTSIDE}' would be"
                self._report(path, f"{message}; add it, or write an address")
        elif colon and name in self._spec.instances:
            cards = [f"eth{at}" for at in range(len(self._spec.instances[name].cards))]
            if card not in cards:
                self._report(path, f"'{name}' has no NIC {card}; it has {listed(cards)}")
        else:
            known = suggestion(word, [*self._names, OUTSIDE])
            self._report(path, f"no instance and no host '{word}'; {known}")

    def _owners(self, address: IPv4Address) -> Iterator[str]:
        for name, host in self._spec.hosts.items():
            if host.address == address:
                yield f"'{name}'"
        for name, instance in self._spec.instances.items():
            if any(ip == address for _, card in instance.cards for _, ip in card.pinned_ips):
                yield f"'{name}'"

    def _is_known(self, address: IPv4Address) -> bool:
        return any(host.address == address for host in self._spec.hosts.values()) or any(
            network.subnet_of(address) for network in self._spec.networks.values()
        )

    def _report(self, path: Path, message: str) -> None:
        self._findings.at_value(path, message)


def _address(word: str) -> IPv4Address | None:
    try:
        return IPv4Address(word)
    except AddressValueError:
        return None
