"""The page of a lab's controller: the socket where it is served.

The controller runs on a lab host, whose network no browser of this machine reaches. So the lab
opens another socket on this machine's loopback, and the controller inherits it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve

from dvr_ryu.lab.state import StateFolder
from dvr_ryu.listening import listening
from dvr_ryu.web.address import DEFAULT, PageAddress, page_address

VARIABLE = "DVR_PAGE"
_BACKLOG = 128


@contextmanager
def opened(folder: StateFolder) -> Iterator[socket.socket]:
    """A socket that listens at the usual address of a page or, if that is taken, at another port;
    the state of the lab in `folder` notes where.
    """
    usual = page_address(DEFAULT, VARIABLE)
    state = folder.read()
    assert usual and state
    try:
        sock = listening(usual.host, usual.port, _BACKLOG)
    except OSError:
        sock = listening(usual.host, 0, _BACKLOG)
    with sock:
        url = PageAddress(usual.host, sock.getsockname()[1]).url
        folder.write(evolve(state, page=url))
        yield sock
