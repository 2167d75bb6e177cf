"""The settings of one namespace, as the kernel combines them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dvr_ryu.topology.family import Family

_V4 = Family.IPV4.sysctls
KERNEL_DEFAULTS = {
    "ip_forward": 0,
    "ip_nonlocal_bind": 0,
    "arp_announce": 0,
    "arp_ignore": 0,
    "proxy_arp": 0,
    "rp_filter": 0,
    "send_redirects": 1,
    "nf_conntrack_tcp_loose": 1,
}
"""Setting → the kernel's own default."""


class Sysctls:
    """The settings of a namespace. `values`: path below /proc/sys → value, of those that are set.

    `inherited`: setting → the value that new namespaces have on this machine, such as
    {"rp_filter": 2}; the kernel's defaults without it.
    """

    def __init__(self, values: Mapping[str, str], inherited: Mapping[str, int]) -> None:
        self._values = values
        self._defaults = {**KERNEL_DEFAULTS, **inherited}

    @property
    def forwards(self) -> bool:
        """Whether the namespace is a router: net.ipv4.ip_forward."""
        return bool(self._value(f"{_V4}/ip_forward"))

    @property
    def nonlocal_bind(self) -> bool:
        """Whether programs may send from addresses that the namespace does not have."""
        return bool(self._value(f"{_V4}/ip_nonlocal_bind"))

    @property
    def tcp_loose(self) -> bool:
        """Whether conntrack picks up TCP connections of which it has not seen the first packet."""
        return bool(self._value("net/netfilter/nf_conntrack_tcp_loose"))

    def greatest(self, name: str, device: str) -> int:
        """A setting of which the greater of `all` and the device's own holds."""
        return max(self._conf("all", name), self._conf(device, name))

    def either(self, name: str, device: str) -> bool:
        """A setting that is on if `all` or the device's own is on."""
        return bool(self.greatest(name, device))

    def _conf(self, device: str, name: str) -> int:
        return self._value(f"{_V4}/conf/{device}/{name}")

    def _value(self, path: str) -> int:
        value = self._values.get(path)
        return self._defaults[path.rpartition("/")[2]] if value is None else int(value)
