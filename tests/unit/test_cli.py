"""The commands of `dvr` that need no root: results on stdout, all else on stderr, exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli, main
from dvr_ryu.cli.companion import companion_run
from dvr_ryu.shipped import examples_dir, flows_dir

EXAMPLE = str(examples_dir() / "human-defined-dvr.yaml")
COMMANDS = [
    [],
    ["check"],
    ["flows"],
    ["graph"],
    ["hosts"],
    ["completion"],
    ["docs"],
    ["companion"],
    *(["companion", word] for word in ("check", "plan", "apply", "run", "down")),
    ["lab"],
    *(["show", word] for word in ("leases", "port")),
    *(["lab", word] for word in ("up", "down", "show", "test", "exec")),
]


class Done:
    """The result of a run of `dvr`."""

    def __init__(self, capfd: pytest.CaptureFixture[str], *arguments: str) -> None:
        saved, sys.argv = sys.argv, ["dvr", *arguments]
        try:
            main()
            self.code: object = 0
        except SystemExit as end:
            self.code = end.code or 0
        finally:
            sys.argv = saved
        self.out, self.err = capfd.readouterr()


@pytest.fixture
def dvr(capfd: pytest.CaptureFixture[str]):
    """Runs `dvr` with arguments, like the installed command."""
    return lambda *arguments: Done(capfd, *arguments)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_a_help_text(arguments: list[str], option: str):
    result = CliRunner().invoke(cli, [*arguments, option])
    assert result.exit_code == 0
    usage, _, first, *_ = result.stdout.split("\n")
    assert usage.startswith(f"Usage: {' '.join(['cli', *arguments])}")
    assert re.match(r"  [A-Z].*\w", first)
    assert result.stderr == ""


def test_help_names_every_command(dvr):
    out = dvr("--help").out
    for arguments in COMMANDS[1:6]:
        assert re.search(rf"^  {arguments[0]}  ", out, re.MULTILINE)
    assert re.search(r"sudo \S*dvr lab up", out)
    assert "Exit codes" in out


def test_the_version_is_the_packages(dvr):
    done = dvr("--version")
    assert done.code == 0
    assert re.fullmatch(r"dvr, version [0-9]+\.[0-9]+\S*\n", done.out)


def test_check_prints_nothing_about_valid_files(dvr):
    done = dvr("check", EXAMPLE)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_check_says_each_problem_of_a_topology(dvr, tmp_path: Path):
    file = tmp_path / "bad.yaml"
    file.write_text(Path(EXAMPLE).read_text().replace("network: lonely}", "network: lonly}"))
    done = dvr("check", str(file))
    assert (done.code, done.out) == (1, "")
    lines = done.err.rstrip("\n").split("\n")
    assert len(lines) == 6
    assert re.match(rf"{re.escape(str(file))}:\d+:\d+: .*lonly.*did you mean 'lonely'", lines[0])
    assert lines[2].index("^") == lines[1].index("lonly}")


def test_check_says_each_problem_of_the_flows(dvr, tmp_path: Path):
    file = tmp_path / "br-tun.flows"
    file.write_text("table 0 A\n  dl_vln=1 actions=drop\n  miss: outptu\n")
    done = dvr("check", EXAMPLE, "--flows", str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"{file}:2:3: unknown field 'dl_vln'; did you mean dl_vlan?\n"
        "    dl_vln=1 actions=drop\n    ^\n"
        f"{file}:3:9: unknown action 'outptu'; did you mean output?\n"
        "    miss: outptu\n          ^\n"
    )


def test_check_warns_and_strict_takes_warnings_for_errors(dvr, tmp_path: Path):
    file = tmp_path / "br-tun.flows"
    file.write_text("table 0 A\n  arp actions=drop\n  priority=1,arp actions=NORMAL\n")
    done = dvr("check", EXAMPLE, "--flows", str(tmp_path))
    assert (done.code, done.out) == (0, "")
    lines = done.err.rstrip("\n").split("\n")
    assert lines[0].startswith(f"{file}:1:9: warning: A has no flow for some packets")
    assert lines[3].startswith(
        f"{file}:3:3: warning: this flow is never reached: line 2 matches the same"
    )
    assert lines[4:] == ["    priority=1,arp actions=NORMAL", "    ^"]
    strict = dvr("check", EXAMPLE, "--flows", str(tmp_path), "--strict")
    assert (strict.code, strict.out) == (1, "")
    assert strict.err == done.err.replace("warning: ", "")
    assert dvr("check", EXAMPLE, "--strict").code == 0


def test_the_environment_may_name_the_flows(dvr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "br-int.flows").write_text("table 0 A\n  miss: NORMAL\n")
    monkeypatch.setenv("DVR_FLOWS", str(tmp_path))
    arguments = ["flows", EXAMPLE, "--host", "server-64", "--bridge", "br-int"]
    assert dvr(*arguments).out == "cookie=0x6476725f727975,table=0,priority=0 actions=NORMAL\n"
    assert "table=60," in dvr(*arguments, "--flows", str(flows_dir())).out


def test_check_fills_the_flows_as_well(dvr, tmp_path: Path):
    file = tmp_path / "br-tun.flows"
    file.write_text("table 0 A\n  each tunnel:\n    arp actions=output:{tunnel.port}\n")
    done = dvr("check", EXAMPLE, "--flows", str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{file}:3:5: ")


@pytest.mark.parametrize("arguments", [["check"], ["hosts"], ["flows", "--host", "server-233"]])
def test_a_file_that_is_not_there_is_one_line(dvr, tmp_path: Path, arguments: list[str]):
    done = dvr(*arguments, str(tmp_path / "none.yaml"))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{tmp_path}/none.yaml: cannot be read: ")
    assert done.err.count("\n") == 1


def test_a_folder_without_flows_is_one_line(dvr, tmp_path: Path):
    done = dvr("check", EXAMPLE, "--flows", str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{tmp_path}: no flow files here")


def test_flows_are_sorted_lines_on_stdout(dvr):
    done = dvr("flows", EXAMPLE, "--host", "server-233")
    assert (done.code, done.err) == (0, "")
    keys = []
    for line in done.out.splitlines():
        found = re.match(r"cookie=0x[0-9a-f]+,table=(\d+),priority=(\d+)[, ].*actions=\S+$", line)
        assert found, line
        keys.append((int(found[1]), -int(found[2]), line))
    assert keys == sorted(keys)
    assert {table for table, *_ in keys} == {0, 1, 2, 4, 9, 10, 20, 21, 22}
    assert dvr("flows", EXAMPLE, "--host", "server-233", "--bridge", "br-tun").out == done.out
    assert dvr("flows", EXAMPLE, "--host", "server-68").out != done.out


def test_flows_of_the_other_bridge_and_of_other_pipelines(dvr, tmp_path: Path):
    done = dvr("flows", EXAMPLE, "--host", "server-64", "--bridge", "br-int")
    assert done.code == 0
    assert "table=60," in done.out
    (tmp_path / "br-int.flows").write_text("table 0 A\n  miss: NORMAL\n")
    arguments = ["--flows", str(tmp_path), "--bridge", "br-int"]
    done = dvr("flows", EXAMPLE, "--host", "server-64", *arguments)
    assert done.out == "cookie=0x6476725f727975,table=0,priority=0 actions=NORMAL\n"


def test_flows_as_a_script_that_a_shell_takes(dvr):
    for arguments in ([], ["--host", "server-68"], ["--bridge", "br-int"]):
        done = dvr("flows", EXAMPLE, "--as", "script", *arguments)
        assert (done.code, done.err) == (0, "")
        check = subprocess.run(["sh", "-n"], input=done.out, text=True, capture_output=True)
        assert (check.returncode, check.stderr) == (0, "")
    assert dvr("flows", EXAMPLE, "--host", "server-68", "--as", "lines").out == (
        dvr("flows", EXAMPLE, "--host", "server-68").out
    )


def test_flows_from_a_dump(dvr, tmp_path: Path):
    file = tmp_path / "dump"
    file.write_text(
        "NXST_FLOW reply (xid=0x4):\n cookie=0x0, duration=1.2s, table=60, n_packets=0, n_bytes=0,"
        " idle_age=1, priority=1 actions=NORMAL\n"
    )
    done = dvr("flows", "--from-dump", str(file), "--bridge", "br-int")
    assert (done.code, done.err) == (0, "")
    assert done.out == "# Table 60, TRANSIENT: Deliver.\ntable=60,priority=1 actions=NORMAL\n"
    file.write_text("ovs-ofctl: br-x is not a bridge or a socket\n")
    done = dvr("flows", "--from-dump", str(file))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"{file}:1:1: this line is no flow")
    done = dvr("flows", "--from-dump", str(tmp_path / "none"))
    assert (done.code, done.err.count("\n")) == (1, 1)


def test_hosts_prints_the_articles_query(dvr):
    done = dvr("hosts", EXAMPLE)
    assert (done.code, done.err) == (0, "")
    rows = [[word.strip() for word in line.split("|")[1:-1]] for line in done.out.splitlines()]
    assert [row for row in rows if row] == [
        ["host", "mac_address"],
        ["server-233", "fa:16:3f:02:d7:f2"],
        ["server-68", "fa:16:3f:08:c7:a5"],
        ["server-64", "fa:16:3f:c9:7c:3c"],
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["chek", EXAMPLE], "No such command 'chek'"),
        (["check"], "Missing argument 'TOPOLOGY'"),
        (["check", EXAMPLE, "more"], "unexpected extra argument"),
        (["flows", EXAMPLE], "Missing option '--host'"),
        (["flows", EXAMPLE, "--host", "server-1"], "no host 'server-1'; it has server-233,"),
        (
            ["flows", EXAMPLE, "--host", "server-64", "--bridge", "br-ex"],
            "no pipeline for 'br-ex'; there are br-int, br-tun",
        ),
        (["flows", EXAMPLE, "--hots", "server-64"], "--hots"),
        (["flows"], "Missing argument 'TOPOLOGY'"),
        (["flows", "--as", "script"], "Missing argument 'TOPOLOGY'"),
        (["flows", EXAMPLE, "--as", "lines"], "Missing option '--host'"),
        (["flows", EXAMPLE, "--as", "text", "--host", "server-64"], "'text' is not one of"),
        (["flows", EXAMPLE, "--as", "script", "--host", "server-1"], "no host 'server-1'"),
        (["flows", EXAMPLE, "--as", "script", "--bridge", "br-ex"], "no pipeline for 'br-ex'"),
        (["flows", EXAMPLE, "--from-dump", "-"], "--from-dump stands alone"),
        (["flows", "--from-dump", "-", "--host", "server-64"], "--from-dump stands alone"),
        (["flows", "--from-dump", "-", "--as", "script"], "--from-dump stands alone"),
        (["flows", "--from-dump", "-", "--bridge", "br-ex"], "no pipeline for 'br-ex'"),
        (["graph", EXAMPLE, "--host", "server-1"], "no host 'server-1'; it has server-233,"),
        (["graph", EXAMPLE, "--pipeline", "br-ex"], "no pipeline for 'br-ex'"),
        (["graph", EXAMPLE, "--trace", "cirros"], "'--trace' requires 2 arguments"),
        (["graph", EXAMPLE, "--as", "png"], "'png' is not one of"),
        (["companion", "check", EXAMPLE], "TOPOLOGY and --host go together"),
        (["companion", "check", "--host", "server-68"], "TOPOLOGY and --host go together"),
        (["companion", "plan", EXAMPLE], "Missing option '--host'"),
        (["companion", "plan", EXAMPLE, "--host", "server-1"], "no host 'server-1'"),
        (["companion", "apply", EXAMPLE], "Missing option '--host'"),
        (["lab", "up"], "Missing argument 'TOPOLOGY'"),
        (["lab", "exec", "cirros"], "Missing argument 'COMMAND"),
    ],
)
def test_wrong_usage_is_64_and_reported_on_stderr(dvr, arguments: list[str], text: str):
    done = dvr(*arguments)
    assert (done.code, done.out) == (64, "")
    assert text in done.err


@pytest.mark.parametrize(
    ("format", "start"),
    [("text", "server-68"), ("dot", "digraph"), ("svg", "<svg"), ("mermaid", "flowchart")],
)
def test_graph_prints_one_document_and_nothing_else(dvr, format: str, start: str):
    done = dvr("graph", EXAMPLE, "--host", "server-68", "--as", format)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(start)


def test_graph_of_a_way_from_nobody_says_who_there_is(dvr):
    done = dvr("graph", EXAMPLE, "--trace", "ciros", "vm-68")
    assert (done.code, done.out) == (1, "")
    assert "did you mean cirros?" in done.err


def test_graph_without_graphviz_says_what_to_install(dvr, monkeypatch):
    monkeypatch.setenv("PATH", "")
    done = dvr("graph", EXAMPLE, "--as", "svg")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "install graphviz" in done.err


def test_completion_is_a_script_that_bash_takes(dvr):
    done = dvr("completion")
    assert done.code == 0
    check = subprocess.run(
        ["bash", "-n"], input=done.out, text=True, capture_output=True, timeout=9
    )
    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shell", "word"), [("zsh", "#compdef dvr"), ("fish", "complete --no-files")]
)
def test_completion_serves_other_shells(dvr, shell: str, word: str):
    done = dvr("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert word in done.out and f"_DVR_COMPLETE={shell}_complete" in done.out


def test_companion_takes_its_tls_files_from_the_environment():
    command = companion_run
    runner = CliRunner(env={"DVR_PKI": "/srv/keys", "DVR_TLS": "1"})
    with runner.isolation():
        found = command.make_context("run", ["lab.yaml", "--host", "h1"]).params
    assert (found["pki"], found["tls"]) == (Path("/srv/keys"), True)


def _completed(line: str) -> set[str]:
    """The completions that bash offers for the last word of the line."""
    environment = {
        **os.environ,
        "_DVR_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    program = "import sys; sys.argv[0] = 'dvr'; from dvr_ryu.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.stderr == ""
    return {each.partition(",")[2] for each in result.stdout.split()}


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("dvr ", {"check", "flows", "hosts", "completion", "companion", "lab"}),
        ("dvr co", {"completion", "companion"}),
        ("dvr lab ", {"up", "down", "show", "test", "exec"}),
        ("dvr companion ", {"check", "plan", "apply", "run", "down"}),
        (f"dvr flows {EXAMPLE} --", {"--host", "--bridge", "--flows", "--help"}),
    ],
)
def test_completion_offers_commands(line: str, some: set[str]):
    offered = _completed(line)
    assert offered >= some
    assert all(word.startswith(line.split(" ")[-1]) for word in offered)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (f"dvr flows {EXAMPLE} --host ", {"server-233", "server-68", "server-64"}),
        (f"dvr flows {EXAMPLE} --host server-6", {"server-68", "server-64"}),
        (f"dvr companion plan {EXAMPLE} --host server-2", {"server-233"}),
        (f"dvr trace {EXAMPLE} cirros outs", {"outside"}),
        ("dvr flows /none.yaml --host ", set()),
        ("dvr flows --host ", set()),
    ],
)
def test_completion_offers_the_topologys_hosts(line: str, offered: set[str]):
    assert _completed(line) == offered


def test_flows_dir_is_the_default(dvr):
    explicit = dvr("flows", EXAMPLE, "--host", "server-64", "--flows", str(flows_dir()))
    assert explicit.out == dvr("flows", EXAMPLE, "--host", "server-64").out
