"""Programs that lack a resource, or a thread of which fails, end and print the reason."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAILING_THREAD = """
import threading
from dvr_ryu.ending import guard

def fail():
    raise ValueError("an odd one")

guard("companion")
threading.Thread(target=fail).start()
threading.Event().wait()
"""
THREAD_THAT_CANNOT_BEGIN = """
import threading
from dvr_ryu.ending import guard

def without_memory(self):
    raise MemoryError

guard("companion")
threading.Thread._set_ident = without_memory
threading.Thread(target=print).start()  # would wait for ever
"""
NO_THREADS = """
import resource
from pathlib import Path
from dvr_ryu.companion.desired.tls import DEFAULTS
from dvr_ryu.source.file import FileSource
from dvr_ryu.companion.run import run

pages = int(open("/proc/self/statm").read().split()[0])
size = pages * resource.getpagesize() + (1 << 20)
resource.setrlimit(resource.RLIMIT_AS, (size, size))
run(FileSource(Path("topology.yaml")), "h1", DEFAULTS)
"""
NO_MEMORY = """
from dvr_ryu.companion import run
from pathlib import Path
from dvr_ryu.companion.desired.tls import DEFAULTS
from dvr_ryu.source.file import FileSource

def without_memory(companion, lock):
    raise MemoryError

run.Companion.begin = without_memory
run.run(FileSource(Path("topology.yaml")), "h1", DEFAULTS)
"""
NO_DESCRIPTORS = """
import os
from dvr_ryu.companion import run
from pathlib import Path
from dvr_ryu.companion.desired.tls import DEFAULTS
from dvr_ryu.source.file import FileSource

def without_descriptors(companion, lock):
    while True:
        os.dup(0)

run.Companion.begin = without_descriptors
run.run(FileSource(Path("topology.yaml")), "h1", DEFAULTS)
"""
CONTROLLER = """
from dvr_ryu.switch.lasting import lasting

def without_memory():
    raise MemoryError

lasting("look at its files", without_memory)()
"""
LIMITS = "see its limits, and those of this machine"


@pytest.mark.parametrize(
    ("code", "last", "count"),
    [
        (FAILING_THREAD, "the companion ends: ValueError: an odd one", None),
        (THREAD_THAT_CANNOT_BEGIN, f"the companion ends: it gets no memory; {LIMITS}", 1),
        (NO_THREADS, f"the companion ends: it gets no thread; {LIMITS}", 1),
        (NO_MEMORY, f"the companion ends: it gets no memory; {LIMITS}", 1),
        (NO_DESCRIPTORS, f"the companion ends: Too many open files; {LIMITS}", 1),
        (
            CONTROLLER,
            f"cannot look at its files any more; the controller ends: it gets no memory; {LIMITS}",
            1,
        ),
    ],
)
def test_it_ends_with_a_line_and_an_exit_code(code: str, last: str, count: int | None) -> None:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[-1] == last
    assert count is None or len(lines) == count
