"""After SIGKILL at any call that writes, the next companion reaches the desired state.

There are several hundred such calls. Each run of the tests tries a few of them; with
DVR_KILL_EVERYWHERE=1 in the environment it tries all, on the three hosts of the article. Others use
one of the hosts, too.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.loading import load_topology
from tests.lab.companion.test_foreign import FOREIGN, dumped
from tests.lab.support.companions import run
from tests.lab.support.inventory import Inventory, differences, inventory

ARTICLE = (examples_dir() / "human-defined-dvr.yaml").read_text()
EDITS = (
    ("2.2.2.100: {instance: cirros, rule_priority: 57482}", "2.2.2.101: {instance: vm-233}"),
    ("vm-233: {host: server-233", "vm-233: {host: server-68"),
    ("blue-68: {host: server-68", "blue-68: {host: server-233"),
    ("vm-64: {host: server-64, network: blue}", "vm-64: {host: server-64, network: yellow}"),
    ("lonely-233: {host: server-233, network: lonely}", "another: {host: server-64, network: new}"),
    (
        "  external:\n    id",
        "  new: {vni: 99, subnets: [{cidr: 10.99.0.0/24}]}\n  external:\n    id",
    ),
)
EVERYWHERE = "DVR_KILL_EVERYWHERE" in os.environ
SAMPLE = 2


class Companion:
    """Applies and takes down in a host, and is killed at a call that writes."""

    def __init__(self, host: LabHost, process: subprocess.Popen[str]) -> None:
        self._host = host
        self._process = process
        self._shared: Sequence[str] = ()

    def do(self, verb: str, file: Path, kill_at: int = 0) -> dict[str, Any]:
        """Run the command; without such a call it comes to its end."""
        assert self._process.stdin and self._process.stdout
        request = json.dumps([verb, str(file), self._host.name, kill_at])
        print(request, file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer["killed"] or "changed" in answer, answer["errors"]
        return answer

    def all_on_host(self) -> Inventory:
        """Everything on the host, and all programs that run there, ours and foreign."""
        commands = self._host.run(["ps", "-e", "-o", "comm="]).stdout.split()
        found = {**inventory(self._host), "programs": sorted(commands)}
        for bridge in self._shared:
            found[f"all flows of {bridge}"] = dumped(self._host, bridge)
        if self._shared:  # on a shared bridge Open vSwitch gives our ports any free number
            lines = found["interfaces"]
            found["interfaces"] = [
                re.sub(r'"ofport": \d+', '"ofport": "any"', line) for line in lines
            ]
        return found

    def share(self) -> None:
        """Give the host foreign things: bridges of our names, foreign ports and flows."""
        for command in FOREIGN:
            run(self._host, command)
        run(self._host, "ovs-vsctl add-port br-int x1 tag=5 -- set Interface x1 type=internal")
        self._shared = tuple(BRIDGES)

    def differs_from(self, goal: Inventory) -> list[str]:
        """The differences from the desired state that persist: a DHCP client may be at work for a
        moment.
        """
        left: list[str] = []

        def equal() -> bool:
            left[:] = differences(goal, self.all_on_host())
            return not left

        with suppress(HostError):
            wait_until(equal, 5, "the same again")
        return left


@contextmanager
def companion_on(name: str) -> Iterator[Companion]:
    """A companion on one host of the article; the test does not need the other hosts."""
    article = load_topology(examples_dir() / "human-defined-dvr.yaml")
    alone = evolve(article, hosts={name: article.hosts[name]})
    points = Path(__file__).parents[1] / "support" / "kill_points.py"
    root = str(Path(__file__).parents[3])
    with bare_lab(alone) as lab:
        command = lab[name].enter([sys.executable, str(points)])
        env = {**environment(), "PYTHONPATH": root}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        ) as process:
            try:
                assert process.stdout and process.stdout.readline() == "\n"
                yield Companion(lab[name], process)
            finally:
                process.kill()


@pytest.mark.timeout(7200 if EVERYWHERE else 300)
@pytest.mark.parametrize(
    ("name", "shared"),
    [
        pytest.param("server-64", False, id="server-64"),
        pytest.param("server-233", False, id="server-233"),
        pytest.param("server-68", True, id="server-68, beside others"),
    ],
)
def test_killed_at_any_write_it_goes_on_from_there(name: str, shared: bool, tmp_path: Path) -> None:
    first, edited = tmp_path / "first.yaml", tmp_path / "edited.yaml"
    first.write_text(ARTICLE)
    text = ARTICLE
    for old, new in EDITS:
        assert old in text
        text = text.replace(old, new)
    edited.write_text(text)
    with companion_on(name) as companion:
        if shared:
            companion.share()
        nothing = companion.all_on_host()
        # The result of a companion that is not killed, and the number of its calls that write.
        steps = [("apply", first), ("apply", edited), ("apply", first), ("down", first)]
        calls: list[int] = []
        goals: list[Inventory] = []
        for verb, file in steps:
            calls.append(companion.do(verb, file)["reached"])
            goals.append(companion.all_on_host())
        assert differences(goals[0], goals[2]) == [] and differences(nothing, goals[3]) == []
        rounds = list(range(1, max(calls) + 5))
        if not EVERYWHERE:
            rounds = random.Random(os.environ.get("DVR_KILL_SEED", name)).sample(rounds, SAMPLE)
        killed, wrong = 0, list[tuple[str, object]]()
        for number in rounds:
            for step, (verb, file) in enumerate(steps):
                at = number if EVERYWHERE else 1 + number % calls[step]
                answer = companion.do(verb, file, at)
                killed += answer["killed"]
                where = f"{verb} {file.name} killed at {at}: {answer['errors']}"
                if step and number % 2:  # an undo must succeed from here, too
                    companion.do(*steps[step - 1])
                    wrong += [(where, each) for each in companion.differs_from(goals[step - 1])]
                companion.do(verb, file)
                if verb == "apply":
                    wrong += [(where, each) for each in companion.do("apply", file)["changed"]]
                wrong += [(where, each) for each in companion.differs_from(goals[step])]
        print(f"{name}: killed at {killed} of about {sum(calls)} writes")
        assert wrong == []
        # The number of calls differs a little between runs.
        assert killed > (0.9 * sum(calls) if EVERYWHERE else SAMPLE)
