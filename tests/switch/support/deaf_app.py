"""A second application beside dvr_ryu's, which closes its listening socket after a moment."""

from __future__ import annotations

import gc
import socket

from ryu.base import app_manager
from ryu.lib import hub

from dvr_ryu.switch.listener import Listener


class DeafApp(app_manager.RyuApp):  # type: ignore[misc]
    """Closes the listening socket."""

    def start(self) -> None:
        hub.spawn_after(0.5, self._deafen)

    def _deafen(self) -> None:
        for each in gc.get_objects():
            if isinstance(each, Listener):
                each._socket.shutdown(socket.SHUT_RDWR)
