"""Secure the controller's connections: plain TCP, or TLS with its key and certificates.

Each connection makes its handshake in its own greenlet, so no other connection waits for it. When
the files are replaced, later connections use the new ones.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from typing import Any

from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates, contexts, refusals
from dvr_ryu.pki.files import PkiFiles, owner_of
from dvr_ryu.pki.watch import FilesWatch
from dvr_ryu.switch.connection import in_the_clear
from dvr_ryu.switch.guard.openflow import Malformed

LOG = logging.getLogger("dvr_ryu")

Hosts = frozenset[str]


class Security:
    """The `Secure` of `Connection`: plain TCP until TLS is required."""

    def __init__(self, files: PkiFiles) -> None:
        self._files = files
        self._watch = FilesWatch(files)
        self._context: ssl.SSLContext | None = None
        self._logged = ""
        self.over_tls = False

    def require(self, over_tls: bool) -> None:
        """From now on, new connections use TLS, or plain TCP.

        Raise HostError if the files are invalid; until they are valid, no connection is served.
        """
        self.over_tls = over_tls
        if over_tls and self._context is None:
            certificates.require(self._files, time.time())
            self._renew()

    def __call__(self, sock: Any) -> tuple[Any, Callable[[], Hosts | None]]:
        """The socket to use, and a function that makes the handshake and returns the hosts."""
        if not self.over_tls:
            return in_the_clear(sock)
        self._renew()
        if self._context is None:
            return sock, self._refuse
        secured = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return secured, lambda: _shake_hands(secured)

    def look(self) -> None:
        """Log, once each, that the files are invalid or will be soon. This is cheap."""
        line = self._watch.line() if self.over_tls else ""
        if line and line != self._logged:
            LOG.warning("%s", line)
        self._logged = line

    def _renew(self) -> None:
        """Load the files if they were replaced and are valid; else the last ones stay in use."""
        if self._watch.replaced() or self._context is None:
            try:
                self._context = contexts.server(self._files)
            except HostError:
                pass  # `look` logs the reason
            else:
                LOG.info("TLS with the certificate %s", self._files.certificate)

    def _refuse(self) -> Hosts | None:
        raise Malformed(f"TLS needs files that are missing or no good: {self._watch.line()}")


def _shake_hands(secured: ssl.SSLSocket) -> Hosts:
    """Make the handshake; return the hosts that the peer's certificate names.

    Raise Malformed if it fails, with the reason.
    """
    try:
        secured.do_handshake()
    except (ssl.SSLError, ConnectionError) as error:
        raise Malformed(f"{refusals.explain(error)}, and the file says ssl:") from None
    shown: dict[str, Any] = secured.getpeercert() or {}
    names = [value for part in shown.get("subject", ()) for key, value in part if key == _NAME]
    return frozenset(owner_of(name) for name in names if len(names) == 1)


_NAME = "commonName"
