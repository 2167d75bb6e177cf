"""Open vSwitch's key and authority, where switches and controller speak TLS. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.pki.files import FOLDER, of_host
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.view import HostView


@frozen
class TlsOptions:
    """Options of a companion that are not in the file."""

    pki: Path = FOLDER
    """The folder of this host's files."""
    always: bool = False
    """Whether to use TLS even if the file has tcp:, as a lab may."""

    def controller(self, view: HostView) -> Controller | None:
        """The controller of a view's bridges, with the protocol by which they connect."""
        controller = view.topology.controller
        return evolve(controller, tls=True) if controller and self.always else controller


DEFAULTS = TlsOptions()


def resources(view: HostView, options: TlsOptions) -> Iterator[SwitchTls]:
    """Yield Open vSwitch's settings for TLS, if the controller speaks it."""
    controller = options.controller(view)
    if controller and controller.tls:
        files = of_host(options.pki, view.host.name)
        yield SwitchTls(
            {
                "private_key": str(files.private_key),
                "certificate": str(files.certificate),
                "ca_cert": str(files.authority),
                "bootstrap_ca_cert": "false",
            }
        )
