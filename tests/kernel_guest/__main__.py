"""python -m tests.kernel_guest COMMAND... runs a command on the kernel's datapath: here, if this
machine's kernel has it, else in a guest. Its output is the command's, its exit code, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.errors import HostError
from tests.kernel_guest.guest import guest


def main(command: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    os.environ["PYTHONUNBUFFERED"] = "1"
    # So that a guest's files are removed when its user ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if datapath_type() == "system":
        return subprocess.run(command).returncode
    try:
        with guest() as running:
            job = running.start(command)
            job.follow(running.require_running)
            return job.code
    except HostError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
