"""`dvr trace` as a command: its words, options, exit codes and errors."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dvr_ryu.cli import main
from dvr_ryu.errors import DIFFERENT, DONE, USAGE, WRONG_INPUT, HostError
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.trace.live import this_host

EXAMPLE = str(examples_dir() / "human-defined-dvr.yaml")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dvr", "trace", EXAMPLE, *arguments])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_the_exit_code_is_that_of_the_verdict(run: Any) -> None:
    code, out, err = run("server-68", "server-64")
    assert (code, out.count("delivered: "), err) == (DONE, 1, "")
    code, out, err = run("outside", "vm-68")
    assert (code, out.count("dropped: "), err) == (DIFFERENT, 1, "")


def test_an_unknown_name_is_one_line_on_stderr(run: Any) -> None:
    code, out, err = run("ciros", "vm-68")
    assert (code, out) == (WRONG_INPUT, "")
    assert err.endswith("; did you mean cirros?\n") and err.count("\n") == 1


@pytest.mark.parametrize(
    "options, message",
    [
        (["--tcp", "80", "--arp"], "--tcp, --udp and --arp exclude each other"),
        (["--tcp", "80", "--udp", "53"], "--tcp, --udp and --arp exclude each other"),
        (["--arp", "--size", "100"], "an ARP request has one size"),
        (["--arp", "--reply"], "the answer to an ARP request is always told"),
        (["--tcp", "0"], "0 is not in the range"),
        (["--size", "27"], "27 is not in the range"),
    ],
)
def test_wrong_usage(run: Any, options: list[str], message: str) -> None:
    code, out, err = run("cirros", "vm-68", *options)
    assert (code, out) == (USAGE, "")
    assert message in err


def test_another_machine_is_no_host_that_can_be_asked() -> None:
    with pytest.raises(HostError, match=r"no host's address|needs root"):
        this_host.asker(load_topology(EXAMPLE))
