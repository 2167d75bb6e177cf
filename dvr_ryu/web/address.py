"""Where a page is served: an option's text to a value. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address

from attrs import frozen

from dvr_ryu.errors import DvrError

DEFAULT = "127.0.0.1:8080"
"""The controller's page, if nothing else is said: loopback only."""
METRICS_DEFAULT = "127.0.0.1:9653"
"""A companion's metrics, likewise."""
OFF = "off"

_DESCRIPTOR = re.compile(r"fd:(\d{1,5})")
_TEXT = re.compile(r"\[?(?P<host>[^\s\[\]]+?)\]?:(?P<port>\d{1,5})")


@frozen
class PageAddress:
    """An address and a port to listen at. Port 0 lets the system choose one."""

    host: str
    port: int
    descriptor: int | None = None
    """A socket that listens already; its own address counts then."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address of the page, for a browser."""
        return f"http://{self}/"


def page_address(text: str, option: str, example: str = DEFAULT) -> PageAddress | None:
    """The address in the text of an option, such as the `example`; None for "off". With fd:N the
    process has inherited a socket that listens.

    Raises DvrError that names the option.
    """
    if text == OFF:
        return None
    if inherited := _DESCRIPTOR.fullmatch(text):
        return PageAddress("", 0, int(inherited[1]))
    found = _TEXT.fullmatch(text)
    if found and int(found["port"]) < 1 << 16:
        host = "127.0.0.1" if found["host"] == "localhost" else found["host"]
        try:
            return PageAddress(str(ip_address(host)), int(found["port"]))
        except ValueError:
            pass
    raise DvrError(
        f"{option} = {text!r} is no address to serve at: write ADDRESS:PORT, such as {example}, "
        f"or {OFF}"
    )
