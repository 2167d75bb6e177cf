"""The worker process: it answers, comes back when it was killed, and no question takes for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.source.inputs import Inputs
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.web import apart
from dvr_ryu.web.apart import Busy, Worker

ONE = "hosts: {h1: {address: 10.0.0.1}}\n"
TWO = "hosts: {h1: {address: 10.0.0.1}, h2: {address: 10.0.0.2}}\n"


def inputs(text: str) -> Inputs:
    return Inputs(Declaration(text, "t.yaml"), load_pipelines(flows_dir()), "1")


@pytest.fixture(scope="module")
def one() -> Inputs:
    return inputs(ONE)


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.end()


def pid_of(worker: Worker) -> int:
    assert worker._process
    return worker._process.pid


def test_one_process_answers_about_the_inputs_in_force(worker: Worker, one: Inputs) -> None:
    assert worker.ask(one, "names", {})["hosts"] == ["h1"]
    first = pid_of(worker)
    assert worker.ask(inputs(TWO), "names", {})["hosts"] == ["h1", "h2"]
    assert "svg" in worker.ask(one, "picture", {})
    assert pid_of(worker) == first
    assert os.getpriority(os.PRIO_PROCESS, first) >= 10


def test_it_comes_back_after_its_end(worker: Worker, one: Inputs) -> None:
    worker.ask(one, "names", {})
    os.kill(pid_of(worker), signal.SIGKILL)
    wait_until(lambda: worker._process is None or worker._process.poll() is not None, 10, "its end")
    assert worker.ask(one, "names", {})["hosts"] == ["h1"]


def test_a_question_that_takes_too_long_is_stopped(
    worker: Worker, one: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.ask(one, "names", {})
    slow = pid_of(worker)
    os.kill(slow, signal.SIGSTOP)
    monkeypatch.setattr(apart, "PATIENCE", 0.3)
    with pytest.raises(Busy, match="takes too long"):
        worker.ask(one, "picture", {})
    assert not Path(f"/proc/{slow}").exists()
    monkeypatch.undo()
    assert worker.ask(one, "names", {})["hosts"] == ["h1"]


def test_questions_wait_for_each_other_but_not_too_many(
    worker: Worker, one: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.ask(one, "names", {})
    os.kill(pid_of(worker), signal.SIGSTOP)
    count = 3 * apart.MOST_WAITING
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(worker.ask, one, "names", {}) for _ in range(count)]
        wait_until(
            lambda: sum(each.done() for each in asked) == count - apart.MOST_WAITING, 10, "refusals"
        )
        os.kill(pid_of(worker), signal.SIGCONT)
    refused = [each for each in asked if isinstance(each.exception(), Busy)]
    assert len(refused) == count - apart.MOST_WAITING
    assert {str(each.result()["hosts"]) for each in asked if each not in refused} == {"['h1']"}
