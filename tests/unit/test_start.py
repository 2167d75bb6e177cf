"""Commands of dvr that people wait for start without the libraries that read and change a host."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dvr_ryu.shipped import examples_dir

SLOW = {"asyncio", "ovs", "prometheus_client", "pyroute2"}
SHAPES = str(examples_dir() / "shapes.yaml")

_RUN = """
import sys
from dvr_ryu.cli import main
try:
    main()
except SystemExit:
    pass
print(*sorted(set({slow!r}) & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", SHAPES],
        ["flows", SHAPES, "--host", "server-1"],
        ["hosts", SHAPES],
        ["lab", "exec", "nobody", "--", "true"],
        ["lab", "show"],
    ],
    ids=" ".join,
)
def test_a_command_starts_without_them(arguments: list[str]) -> None:
    program = _RUN.format(slow=sorted(SLOW))
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1:] in ([], [""]), done.stderr


def test_a_companion_starts_without_metrics() -> None:
    """`run` imports their library, if they are to be served."""
    modules = "dvr_ryu.companion.agent, dvr_ryu.companion.run, dvr_ryu.web.companion"
    program = f"import sys, {modules}; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_companion_starts_without_the_sockets_of_pyroute2() -> None:
    program = "import sys, dvr_ryu.companion.host; print('pyroute2.iproute' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
