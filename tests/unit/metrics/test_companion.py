"""A companion's metrics say what it reported, and are served beside it."""

from __future__ import annotations

import http.client
import itertools
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dvr_ryu.companion.change import HostChange, change
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.foreign import FirewallRules, ForeignItem
from dvr_ryu.companion.providers.dnsmasq.leases import Lease
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.upkeep.observer import Round
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.metrics.companion import CompanionMetrics
from dvr_ryu.metrics.exposition import Exposition
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.web.address import PageAddress
from dvr_ryu.web.companion import served_metrics
from tests.counted_lines import Scrape

VIEW = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
HELD = desired_resources(VIEW, "netdev")
LATER = int(time.time()) + 1_000_000  # the tests of a slow machine may take long


def reported(
    *changes: tuple[HostChange, bool], leases: Iterable[Lease] = (), **fields: Any
) -> Scrape:
    """The metrics after these changes, and a round with these fields."""
    exposition = Exposition()
    metrics = CompanionMetrics(exposition, lambda: leases)
    for each, edited in changes:
        metrics.applied(each, 0.02, edited)
    ended = dict(
        state="applied", seconds=0.2, holding=HELD, foreign=(), foreign_rules=(), is_led=True
    )
    metrics.ended(Round(**cast(Any, ended | fields)))
    return Scrape(exposition.text().decode())


def of_kind(kind: type[Resource]) -> int:
    return sum(isinstance(each, kind) for each in HELD)


def test_resources_are_counted_by_kind():
    found = reported()
    assert found.value("dvr_resources", kind="address") == of_kind(Address) > 0
    assert sum(found.values("dvr_resources").values()) == len(HELD)
    assert found.value("dvr_companion_state", state="applied") == 1
    assert found.value("dvr_companion_state", state="failed") == 0
    assert found.value("dvr_controller_connected") == 1
    assert found.value("dvr_rounds_total", state="applied") == 1


def test_an_edit_is_no_drift_and_drift_is_no_edit():
    made = change(HELD, ())
    lost = next(each for each in HELD if isinstance(each, Address) and not each.by_kernel)
    mended = change(HELD, [each for each in HELD if each is not lost])
    found = reported((made, True), (mended, False))
    assert found.value("dvr_applies_total", cause="edit") == 1
    assert found.value("dvr_applies_total", cause="drift") == 1
    assert found.values("dvr_drift_mended_total") == {("address",): 1}
    added = found.value("dvr_resource_changes_total", kind="address", change="added")
    assert added == sum(isinstance(each, Address) for each in made.added) + 1
    assert found.value("dvr_step_seconds_count", step="apply") == 2


def test_leases_are_counted_until_they_end():
    leases = [
        Lease("h", "blue", "fa:16:3e:00:00:01", "10.0.0.1", "a", LATER),
        Lease("h", "blue", "fa:16:3e:00:00:02", "10.0.0.2", "", LATER),
        Lease("h", "blue", "fa:16:3e:00:00:03", "10.0.0.3", "", 0),
        Lease("h", "blue", "fa:16:3e:00:00:04", "10.0.0.4", "b", 1),
    ]
    found = reported(leases=leases).values("dvr_leases")
    assert found == {("true", "blue"): 1, ("false", "blue"): 2}


def test_foreign_things_are_counted_by_kind():
    items = [ForeignItem("br-int", "port", "x"), ForeignItem("br-int", "port", "y")]
    rules = [FirewallRules("qrouter-1", "iptables", "FORWARD", 2, drops=True)]
    found = reported(foreign=items, foreign_rules=rules)
    assert found.values("dvr_foreign_items") == {("port",): 2, ("rule",): 3}


def test_a_mistake_that_stays_is_counted_once():
    exposition = Exposition()
    metrics = CompanionMetrics(exposition, lambda: ())
    for text in ("line 1", "line 1", "line 2"):
        metrics.refused(ValueError(text))
    found = Scrape(exposition.text().decode())
    assert found.value("dvr_reloads_total", outcome="refused") == 2
    assert found.value("dvr_last_reload_successful") == 0
    assert not found.values("dvr_companion_state")


def test_a_text_is_made_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch):
    times = itertools.count(100.0, 0.05)
    clock = SimpleNamespace(monotonic=lambda: next(times))
    monkeypatch.setattr("dvr_ryu.metrics.exposition.time", clock)
    asked: list[int] = []

    def leases() -> Iterable[Lease]:
        asked.append(1)
        return ()

    exposition = Exposition()
    CompanionMetrics(exposition, leases).ended(Round("applied", 0.1, (), (), (), True))
    for _ in range(60):  # each looks at the clock once, or twice: three seconds, or a little more
        exposition.text()
    assert len(asked) in (3, 4)


@pytest.fixture(autouse=True)
def hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A companion ends its process when a thread fails; this process goes on without such hooks."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)


# Serving ------------------------------------------------------------------------------------------


def get(port: int, path: str) -> tuple[int, str]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_it_is_served_while_the_companion_runs_and_not_longer():
    port = free_port()
    with served_metrics(PageAddress("127.0.0.1", port), "--metrics") as observer:
        observer.ended(Round("moving", 0.1, HELD, (), (), False))
        status, text = get(port, "/metrics")
        assert (status, Scrape(text).value("dvr_companion_state", state="moving")) == (200, 1)
        assert get(port, "/") == (200, "dvr_ryu: a companion; its metrics are at /metrics\n")
        assert get(port, "/else")[0] == 404
    wait_until(lambda: get(port, "/metrics")[0] == 0, 10, "it is not served any more")


def test_an_occupied_port_is_a_line_and_the_companion_goes_on(caplog: pytest.LogCaptureFixture):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with served_metrics(PageAddress(*other.getsockname()), "--metrics") as observer:
            observer.ended(Round("applied", 0.1, HELD, (), (), True))
    (line,) = [each.getMessage() for each in caplog.records if each.name == "dvr_ryu"]
    assert line.startswith("no metrics: cannot listen on 127.0.0.1:")
    assert "Address already in use; name another address as --metrics" in line


def test_readers_that_read_nothing_hold_nobody_up():
    port = free_port()
    with served_metrics(PageAddress("127.0.0.1", port), "--metrics") as observer:
        observer.ended(Round("applied", 0.1, HELD, (), (), True))
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for each in idle[:10]:
            each.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert get(port, "/metrics")[0] == 200
        observer.ended(Round("applied", 0.1, HELD, (), (), True))
        for each in idle:
            each.close()


_NO_THREADS = """
import resource
from dvr_ryu.web.address import page_address
from dvr_ryu.web.companion import served_metrics
import dvr_ryu.metrics.companion, dvr_ryu.web.metrics

pages = int(open("/proc/self/statm").read().split()[0])
size = pages * resource.getpagesize() + (1 << 20)
resource.setrlimit(resource.RLIMIT_AS, (size, size))
with served_metrics(page_address("127.0.0.1:0", "--metrics"), "--metrics"):
    print("served")
"""


def test_without_threads_the_companion_ends_with_a_line():
    done = subprocess.run([sys.executable, "-c", _NO_THREADS], capture_output=True, text=True)
    line = "the companion ends: it gets no thread; see its limits, and those of this machine"
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (1, "", line)
    assert "Traceback" not in done.stderr


def test_nothing_is_served_where_it_is_off():
    with served_metrics(None, "--metrics") as observer:
        observer.ended(Round("applied", 0.1, HELD, (), (), True))
