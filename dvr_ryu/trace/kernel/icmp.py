"""The ICMP messages and resets that a kernel makes about a packet. Pure; `output` sends them."""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.pipeline.language.fields import IP
from dvr_ryu.pipeline.run.packet import ICMP, Packet
from dvr_ryu.trace.kernel.addresses import is_multicast
from dvr_ryu.trace.kernel.netfilter import tcp
from dvr_ryu.trace.kernel.netfilter.conntrack import is_icmp_error

UNREACHABLE, REDIRECT, TIME_EXCEEDED = 3, 5, 11
NET, PROTOCOL, PORT, FRAGMENTATION_NEEDED = 0, 2, 3, 4
"""The codes of UNREACHABLE."""
_HEADERS = 28
_QUOTED = 576 - _HEADERS
_TTL = 64
_INTERNETWORK_CONTROL = 0xC0
_LATER_FRAGMENT = 2
_RST_SIZE = 40


def error(about: Packet, type: int, code: int, mtu: int | None = None) -> Packet:
    """An error about a packet, to its sender. Its own source is still open: 0.

    `mtu` is the next hop's, in the field `icmp_mtu`.
    """
    more = {} if mtu is None else {"icmp_mtu": mtu}
    fields = {
        "dl_type": IP,
        "nw_src": 0,
        "nw_dst": about["nw_src"],
        "nw_proto": ICMP,
        "nw_ttl": _TTL,
        "nw_tos": _INTERNETWORK_CONTROL,
        "nw_ecn": 0,
        "nw_frag": 0,
        "icmp_type": type,
        "icmp_code": code,
        **more,
    }
    return Packet(fields, _HEADERS + min(about.size, _QUOTED), quoted=about)


def may_complain(about: Packet, to_all: bool) -> bool:
    """Whether an error about a packet is allowed: not about errors, later fragments and what came
    to several machines.
    """
    source = about["nw_src"]
    is_for_several = to_all or is_multicast(about["nw_dst"])
    has_no_sender = not source or is_multicast(source)
    return not (
        is_for_several
        or has_no_sender
        or about["nw_frag"] & _LATER_FRAGMENT
        or is_icmp_error(about)
    )


def echo_reply(request: Packet) -> Packet:
    """The answer to an echo request."""
    return request.reply().having(nw_df=None, nw_ttl=_TTL)


def reset(segment: Packet) -> Packet:
    """The answer to a segment of TCP to a port at which nobody listens."""
    flags = tcp.RST if segment["tcp_flags"] & tcp.ACK else tcp.RST | tcp.ACK
    return evolve(segment.reply().having(tcp_flags=flags, nw_ttl=_TTL), size=_RST_SIZE)
