"""Where a page is served: an option's text to a value. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address

from attrs import frozen

from dvr_ryu.errors import DvrError

DEFAULT = "127.0.0.1:8080"
"""The controller's page, if nothing else is said: loopback only."""
OFF = "off"

_TEXT = re.compile(r"\[?(?P<host>[^\s\[\]]+?)\]?:(?P<port>\d{1,5})")


@frozen
class PageAddress:
    """An address and a port to listen at. Port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address of the page, for a browser."""
        return f"http://{self}/"


def page_address(text: str, option: str) -> PageAddress | None:
    """The address in the text of an option, such as 127.0.0.1:8080; None for "off".

    Raises DvrError that names the option.
    """
    if text == OFF:
        return None
    found = _TEXT.fullmatch(text)
    if found and int(found["port"]) < 1 << 16:
        host = "127.0.0.1" if found["host"] == "localhost" else found["host"]
        try:
            return PageAddress(str(ip_address(host)), int(found["port"]))
        except ValueError:
            pass
    raise DvrError(
        f"{option} = {text!r} is no address of a page: write ADDRESS:PORT, such as {DEFAULT}, "
        f"or {OFF}"
    )
