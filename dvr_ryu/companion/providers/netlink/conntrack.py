"""Delete the connections in our namespaces that conntrack began to translate under other rules, by
netlink.

The rules translate a connection only when it begins. The companion notes the translations that all
connections follow after it has deleted the others: the next one repeats the work of a companion
killed before that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from socket import AF_INET, IPPROTO_TCP, IPPROTO_UDP, inet_aton
from typing import NamedTuple

from pyroute2.netlink.nfnetlink import NFNL_SUBSYS_CTNETLINK
from pyroute2.netlink.nfnetlink.nfctsocket import (
    IPCTNL_MSG_CT_DELETE,
    IPCTNL_MSG_CT_GET,
    IPS_NAT_MASK,
    nfct_msg,
)

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.netlink.client import GONE, Netlink, Request, nfnetlink
from dvr_ryu.companion.providers.netlink.messages import Message, message, values
from dvr_ryu.companion.providers.netlink.namespaces import exists
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.namespace import ROOT, by_namespace
from dvr_ryu.companion.resources.netfilter.translation import NOTES, Translation, numbers_of
from dvr_ryu.errors import HostError

COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")
"""The file with the number of connections in the reader's namespace."""

_CONNTRACK = NFNL_SUBSYS_CTNETLINK << 8
GET, DELETE = _CONNTRACK | IPCTNL_MSG_CT_GET, _CONNTRACK | IPCTNL_MSG_CT_DELETE
PROTOCOLS = {"tcp": IPPROTO_TCP, "udp": IPPROTO_UDP}


class Connection(NamedTuple):
    """A connection in conntrack: its original addresses, and those that answers go to."""

    source: str | None
    target: str | None
    protocol: int
    port: int
    answers_from: str | None
    answers_to: str | None
    translated: bool


def require() -> None:
    """Raise OSError if the kernel does not list the connections of our present namespace."""
    with nfnetlink(ROOT) as kernel:
        kernel.dump(GET, nfct_msg, nfgen_family=AF_INET)


def read() -> Iterator[Translation]:
    """Yield the translations that were noted."""
    for namespace in notes.names(Path(NOTES)):
        yield from _noted(namespace)


class Translations(Provider):
    """The provider of translations."""

    kinds = (Translation,)

    def read(self, look: Look) -> Sequence[Translation]:
        """Return the translations that were noted."""
        return list(read())

    def make(self, resources: Sequence[Translation]) -> None:
        """Delete the connections older than these translations, which then hold for all
        connections."""
        notes.folder(Path(NOTES))
        # A kernel that lists no connections must raise before anything is noted.
        with nfnetlink(resources[0].namespace) as kernel:
            _connections(kernel, _addresses(resources))
        for namespace, group in by_namespace(resources):
            _forget(namespace, group)
            _write(namespace, _noted(namespace) | {*group})

    def remove(self, resources: Sequence[Translation]) -> None:
        """Delete the connections that began under these translations."""
        for namespace, group in by_namespace(resources):
            if exists(namespace):
                _forget(namespace, group)
            _write(namespace, _noted(namespace) - {*group})


# Notes --------------------------------------------------------------------------------------------


def _noted(namespace: str) -> set[Translation]:
    def resources(text: str) -> set[Translation]:
        return {Translation.of_line(namespace, line) for line in text.splitlines()}

    return notes.meaning(Path(NOTES, namespace), resources) or set()


def _write(namespace: str, resources: set[Translation]) -> None:
    if resources:
        text = "".join(f"{each}\n" for each in sorted(resource.line for resource in resources))
        notes.replace(Path(NOTES, namespace), text)
    else:
        notes.remove(Path(NOTES, namespace))


# Conntrack ----------------------------------------------------------------------------------------


def _forget(namespace: str, translations: Sequence[Translation]) -> None:
    concerned = _concerned(translations)
    with nfnetlink(namespace) as kernel:
        found = [] if _are_none() else _connections(kernel, _addresses(translations))
        resource = translations[0]
        kernel.ask(
            (
                Request(resource, DELETE, 0, _named(each))
                for each in found
                if concerned(connection(each))
            ),
            GONE,
        )


def _addresses(translations: Sequence[Translation]) -> set[bytes]:
    """All addresses of translations, as they are in connections that these may concern."""
    return {inet_aton(ip) for each in translations for ip in (each.outer, each.inner)}


def _connections(kernel: Netlink, mentioned: Collection[bytes] = ()) -> list[Message]:
    """The connections of a namespace that mention an address; without addresses, all.

    Raises HostError if the kernel does not list them.
    """
    try:
        return kernel.dump_mentioning(mentioned, GET, nfct_msg, nfgen_family=AF_INET)
    except OSError as error:
        raise HostError(
            f"the kernel does not tell its connections in {kernel.namespace}: {error.strerror}; "
            f"load nf_conntrack_netlink: modprobe nf_conntrack_netlink"
        ) from None


def _are_none() -> bool:
    """Whether our present namespace has no connection. To list them, the kernel searches the whole
    machine's table, which takes some milliseconds even if it is empty.
    """
    return COUNT.exists() and COUNT.read_text() == "0\n"


def _named(found: Message) -> Message:
    """A message that names a connection of a dump: as it began, and its number."""
    names = ("CTA_TUPLE_ORIG", "CTA_ID")
    return message(nfct_msg, zip(names, values(found, *names), strict=True), nfgen_family=AF_INET)


def connection(found: Message) -> Connection:
    """A connection of a dump."""
    began, replies, status = values(found, "CTA_TUPLE_ORIG", "CTA_TUPLE_REPLY", "CTA_STATUS")
    addresses, protocol = values(began, "CTA_TUPLE_IP", "CTA_TUPLE_PROTO")
    number, port = values(protocol, "CTA_PROTO_NUM", "CTA_PROTO_DST_PORT")
    (back,) = values(replies, "CTA_TUPLE_IP")
    ends = ("CTA_IP_V4_SRC", "CTA_IP_V4_DST")
    source, target = values(addresses, *ends)
    replies_from, replies_to = values(back, *ends)
    translated = bool(status & IPS_NAT_MASK)
    return Connection(source, target, number, port or 0, replies_from, replies_to, translated)


def _concerned(translations: Sequence[Translation]) -> Callable[[Connection], bool]:
    """Whether a connection would be translated differently if it began under other rules.

    One that is not translated, but began at an inner address, may have begun before it had an outer
    one. It continues by itself if it needs none.
    """
    whole = [each for each in translations if not each.protocol]
    outer, inner = {each.outer for each in whole}, {each.inner for each in whole}
    forwarded = {
        (each.outer, PROTOCOLS[each.protocol], port)
        for each in translations
        if each.protocol
        for port in numbers_of(each.outer_ports)
    }

    def concerned(each: Connection) -> bool:
        return (
            not outer.isdisjoint((each.source, each.target, each.answers_from, each.answers_to))
            or (not each.translated and each.source in inner)
            or (each.target, each.protocol, each.port) in forwarded
        )

    return concerned
