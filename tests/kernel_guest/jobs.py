"""A job: a command that a guest runs. Its folder has the command and its input, then its output and
its exit code; the guest and this machine share it.

``python jobs.py FOLDER`` copies what the job of this folder writes until it ends. So it has nothing
but Python's own modules.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

_PAUSE = 0.05


class Job:
    """A job by its folder; `output` and `error` are files that grow while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output"
        self.error = folder / "error"
        self._code = folder / "code"

    @classmethod
    def make(
        cls,
        folder: Path,
        command: Sequence[str],
        start: str,
        variables: Mapping[str, str],
        input: str,
    ) -> Job:
        """Make the folder of a job that starts in the folder `start`, with these variables only."""
        environment = [f"{name}={value}" for name, value in variables.items()]
        line = shlex.join(["env", "-i", f"--chdir={start}", *environment, *command])
        folder.mkdir()
        (folder / "command").write_text(f"exec {line}\n")
        (folder / "input").write_text(input)
        for stream in ("output", "error"):
            (folder / stream).touch()
        return cls(folder)

    @property
    def ended(self) -> bool:
        """Whether the command has ended."""
        return self._code.exists()

    @property
    def code(self) -> int:
        """The exit code of a command that has ended."""
        return int(self._code.read_text())

    def follow(self, require_running: Callable[[], object] = bool) -> None:
        """Copy what the command writes to this process's streams until it ends.

        `require_running` is called often, and may raise what ends this.
        """
        with self.output.open("rb") as output, self.error.open("rb") as error:
            pairs = ((output, sys.stdout.buffer), (error, sys.stderr.buffer))
            while not self.ended:
                require_running()
                if not any([_copy(*pair) for pair in pairs]):
                    time.sleep(_PAUSE)
            for pair in pairs:
                _copy(*pair)


def _copy(source: BinaryIO, target: BinaryIO) -> bool:
    if chunk := source.read():
        target.write(chunk)
        target.flush()
    return bool(chunk)


if __name__ == "__main__":
    job = Job(Path(sys.argv[1]))
    job.follow()
    sys.exit(job.code)
