"""python -m tests.kernel_guest COMMAND... runs a command on the kernel's datapath: here, if this
machine's kernel has it, else in a guest. Its output is the command's, its exit code, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import BinaryIO

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.errors import HostError
from tests.kernel_guest.guest import Job, guest

_PAUSE = 0.05


def main(command: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    if datapath_type() == "system":
        return subprocess.run(command).returncode
    try:
        with guest() as running:
            return follow(running.start(command))
    except HostError as error:
        print(error, file=sys.stderr)
        return 1


def follow(job: Job) -> int:
    """Copy what a job writes to this process's streams until it ends; return its exit code."""
    with job.output.open("rb") as output, job.error.open("rb") as error:
        pairs = ((output, sys.stdout.buffer), (error, sys.stderr.buffer))
        while not job.ended():
            if not any([_copy(*pair) for pair in pairs]):
                time.sleep(_PAUSE)
        for pair in pairs:
            _copy(*pair)
    return job.code()


def _copy(source: BinaryIO, target: BinaryIO) -> bool:
    if chunk := source.read():
        target.write(chunk)
        target.flush()
    return bool(chunk)


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.exit(main(sys.argv[1:]))
