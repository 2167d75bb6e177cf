"""Results on stdout: for any stdout, no command wraps lines, hangs, or ends with a traceback."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvr_ryu.cli import output
from dvr_ryu.cli.output import end_with, to_stderr
from dvr_ryu.errors import SHOWN_COLUMNS, FileError, Location, Problem
from dvr_ryu.shipped import examples_dir
from dvr_ryu.tables import table
from dvr_ryu.topology.spec.text_file import text_of

DVR = str(Path(sys.executable).with_name("dvr"))
EXAMPLE = str(examples_dir() / "human-defined-dvr.yaml")
WITH_RESULTS = (
    ["docs"],
    ["flows", EXAMPLE, "--host", "server-233"],
    ["hosts", EXAMPLE],
    ["check", EXAMPLE, "--json"],
    ["companion", "check"],
    ["--help"],
)


def ended(command: list[str], stdout: int) -> tuple[int, str]:
    done = subprocess.run([DVR, *command], stdout=stdout, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


@pytest.fixture
def gone() -> Iterator[int]:
    """A pipe whose reader has ended, as in `dvr hosts FILE | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("command", WITH_RESULTS, ids=" ".join)
def test_a_reader_that_has_gone_is_a_quiet_end(command: list[str], gone: int) -> None:
    code, err = ended(command, gone)
    assert code == 1
    assert "Traceback" not in err and "pipe" not in err


@pytest.mark.parametrize("command", WITH_RESULTS, ids=" ".join)
def test_a_full_stdout_is_one_line(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        code, err = ended(command, full.fileno())
    assert code == 1
    assert err.splitlines()[-1] == "cannot write the result to stdout: No space left on device"
    assert "Traceback" not in err and "Exception" not in err


def test_a_closed_stdout_is_one_line() -> None:
    command = f"{DVR} hosts {EXAMPLE} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "cannot write the result to stdout: Bad file descriptor\n"


def test_a_command_without_a_result_needs_no_stdout() -> None:
    with open("/dev/full", "w") as full:
        assert ended(["check", EXAMPLE], full.fileno()) == (0, "")


def test_the_exit_code_stays_that_of_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    def command(code: object) -> Callable[[], object]:
        return lambda: sys.exit(code)  # type: ignore[arg-type]

    assert [end_with(command(code)) for code in (0, 2, 64, None)] == [0, 2, 64, 0]


def test_pipes_and_files_do_not_wrap(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    reason = " ".join(["word"] * 100)
    end_with(lambda: output.show(table(("what", "", "seen"), [("layer 2", "FAIL", reason)])))
    lines = capfd.readouterr().out.splitlines()
    assert lines[1].split() == ["layer", "2", "FAIL", *reason.split()]
    assert len(lines) == 2


def test_a_terminal_wraps_between_words() -> None:
    """Run in a terminal of 40 columns, which is a pty."""
    code = (
        "from dvr_ryu.cli import output; from dvr_ryu.tables import table;"
        "output.show(table(('seen',), [(' '.join(['sentence'] * 20),)]))"
    )
    ours, theirs = os.openpty()
    environment = {**os.environ, "COLUMNS": "40", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", code], stdout=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert len(shown.splitlines()) > 5
    assert shown.count("sentence") == 20


def test_cells_and_messages_do_nothing_to_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;title\x07 \u202e [red]x[/]"
    end_with(lambda: output.show(table(("seen",), [(hostile,)])))
    to_stderr(hostile)
    out, err = capfd.readouterr()
    for text in (out, err):
        assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
        assert r"\x1b]0;title\x07 \u202e [red]x[/]" in text


# Problems -----------------------------------------------------------------------------------------


def test_a_quoted_line_does_nothing_to_a_terminal() -> None:
    source = "a: \x1b[31m\x00\u202e b"
    shown = str(
        Problem(Location("f\x1b.yaml", 1, source.index("b") + 1, source), "bad\nname '\x1b'")
    )
    first, line, caret = shown.split("\n")
    assert first == r"f\x1b.yaml:1:" + f"{source.index('b') + 1}" + r": bad\nname '\x1b'"
    assert line == r"  a: \x1b[31m\x00\u202e b"
    assert caret.index("^") == line.rindex("b")


@pytest.mark.parametrize("column", [1, 50, 5000, 9999, 10000])
def test_only_a_part_of_a_long_line_is_quoted(column: int) -> None:
    source = "".join(chr(ord("a") + at % 26) for at in range(10000))
    _, line, caret = str(Problem(Location("f", 1, column, source), "wrong")).split("\n")
    assert len(line) <= SHOWN_COLUMNS + 4
    assert line[caret.index("^")] == source[column - 1]


def test_of_many_problems_the_first_are_written_out() -> None:
    error = FileError(Problem(Location("f", line + 1, 1, "x"), "wrong") for line in range(200_000))
    lines = str(error).split("\n")
    assert len(lines) == 61
    assert lines[57] == "f:20:1: wrong"
    assert lines[60] == "and 199 980 more"
    assert len(error.problems) == 200_000


@pytest.mark.parametrize(
    ("data", "location", "expected"),
    [
        (b"table 0 A\n  # caf\xe9\n", "f:2:8", "is not UTF-8 text"),
        (b"table 0 A\n  # \x1b[31m\n", "f:2:5", "a control character (U+001B)"),
        (b"\xef\xbb\xbftable \x00", "f:1:7", "a control character (U+0000)"),
        (b"a\r\nb\x7f", "f:2:2", "U+007F"),
    ],
)
def test_invalid_utf_8_has_a_location(data: bytes, location: str, expected: str) -> None:
    with pytest.raises(FileError) as raised:
        text_of(data, "f")
    (problem,) = raised.value.problems
    assert str(problem.location) == location
    assert expected in problem.message
    assert str(problem).isprintable() or all(
        line.isprintable() for line in str(problem).split("\n")
    )


@pytest.mark.parametrize("name", ["br-tun.flows", "topology.yaml", "dump"])
def test_files_that_are_no_text_are_refused_where_they_are_not(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(b"table 0 A\n  # \x1b[31m\xe9\n")
    command = {
        "br-tun.flows": ["check", EXAMPLE, "--flows", str(tmp_path)],
        "topology.yaml": ["check", str(file)],
        "dump": ["flows", "--from-dump", str(file)],
    }[name]
    done = subprocess.run([DVR, *command], capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"{file}:2:".encode())
    assert b"\x1b" not in done.stderr and b"Traceback" not in done.stderr


def test_a_dump_on_stdin_that_is_no_text() -> None:
    command = [DVR, "flows", "--from-dump", "-"]
    done = subprocess.run(command, input=b"table=0 actions=\xff", capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"stdin:1:17: is not UTF-8 text")


# Advice to type -----------------------------------------------------------------------------------

_AS_A_USER = f"""if True:
    import importlib, os, pkgutil, sys
    from dvr_ryu import cli, companion, lab
    # Python and the checkout may be root's alone: load what a command may import.
    for package in (cli, companion, lab):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    lab.progress.steps().__enter__()
    cli.cli.main(["check", {EXAMPLE!r}], standalone_mode=False)
    if os.geteuid() == 0:
        os.setuid(65534)
    sys.argv[:] = sys.argv[1:]
    cli.main()"""


def as_a_user(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `dvr` without being root."""
    command = [sys.executable, "-c", _AS_A_USER, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


@pytest.mark.parametrize(
    "arguments",
    [
        ["lab", "exec", "a", "--", "sh", "-c", "ip a | grep 'x y'"],
        ["lab", "up", EXAMPLE, "--flows", "/tmp/my flows"],
        ["companion", "apply", EXAMPLE, "--host", "server-64"],
    ],
)
def test_the_advice_to_be_root_has_the_whole_command(arguments: list[str]) -> None:
    done = as_a_user("/opt/dvr ryu/bin/dvr", *arguments)
    assert done.returncode == 1
    advice = done.stderr.rstrip("\n").partition("type sudo ")[2]
    assert shlex.split(advice) == ["/opt/dvr ryu/bin/dvr", *arguments]
    assert (
        as_a_user("/usr/bin/dvr", *arguments)
        .stderr.rstrip()
        .endswith(f"type sudo dvr {shlex.join(arguments)}")
    )


def test_a_file_that_may_not_be_read_is_as_one_that_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    file.write_text("hosts: {}\n")
    file.chmod(0)
    for path in (tmp_path, *tmp_path.parents):
        if path == Path("/tmp") or path.stat().st_mode & 0o005 == 0o005:
            break
        path.chmod(0o755)
    done = as_a_user("dvr", "check", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{file}: cannot be read: Permission denied; ")
