"""A socket that listens, and what a failed accept() means. It accepts nothing itself."""

from __future__ import annotations

import errno
import socket

NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""accept(2): the system has no room for another connection."""
GONE = frozenset({errno.ECONNABORTED, errno.EINTR, errno.EAGAIN, errno.EPROTO, errno.EPERM})
"""accept(2): the connection was gone before it was accepted, or the firewall forbade it."""


def listening(address: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens at an IPv4 or IPv6 address. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((address, port))
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock
