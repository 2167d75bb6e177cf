"""A lock that a process holds which is about to end."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from threading import Thread

from dvr_ryu.companion.providers.locks import locked_within


def test_a_lock_is_waited_for_until_the_last_process_that_has_it_ends(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with open(tmp_path / "lock", "w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
    os.close(reading)
    with open(tmp_path / "lock", "w") as second:
        assert not locked_within(second.fileno(), 0)
        ending = Thread(target=os.close, args=(writing,))
        ending.start()
        assert locked_within(second.fileno(), 60)
    ending.join()
    os.waitpid(child, 0)
