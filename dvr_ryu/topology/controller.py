"""Define the controller's address, and the environment's variable for it. Pure data."""

from __future__ import annotations

from attrs import frozen

CONTROLLER_VARIABLE = "DVR_CONTROLLER"
"""The environment's variable for the controller of a file that names none, in the file's syntax. A
lab that has chosen one sets it.
"""


@frozen
class Controller:
    """The controller's address for switches: OpenFlow over TCP, or over TLS."""

    address: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        """Open vSwitch's syntax for it."""
        return f"{'ssl' if self.tls else 'tcp'}:{self.address}:{self.port}"
