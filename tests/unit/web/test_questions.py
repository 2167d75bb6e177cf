"""The worker's answers about the article's network, and about one of many hosts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.web.questions import MOST_HOSTS, Questions

ARTICLE = (examples_dir() / "human-defined-dvr.yaml").read_text()
FLOWS = {str(file): file.read_text() for file in sorted(flows_dir().glob("*.flows"))}


@pytest.fixture(scope="module")
def article() -> Questions:
    return Questions(ARTICLE, "topology", FLOWS)


def large() -> Questions:
    hosts = "".join(f"  h{n}: {{address: 10.0.0.{n}}}\n" for n in range(1, MOST_HOSTS + 3))
    return Questions(
        f"hosts:\n{hosts}networks: {{blue: {{subnets: [{{cidr: 10.1.0.0/24}}]}}}}\n"
        "instances:\n  a: {host: h1, network: blue}\n  b: {host: h8, network: blue}\n",
        "topology",
        FLOWS,
    )


def ids(answer: dict[str, Any]) -> set[str]:
    return set(re.findall(r' id="([^"]+)"', answer["svg"]))


def test_it_knows_what_can_be_an_end(article: Questions) -> None:
    found = article.answer("names", {})
    assert found["hosts"] == ["server-233", "server-68", "server-64"]
    assert {"cirros", "server-64", "outside"} <= set(found["ends"])
    assert found["whole"] is True


def test_the_picture_has_every_bridge_of_the_hosts_that_are_shown(article: Questions) -> None:
    assert {f"bridge/{host}/br-int" for host in ("server-233", "server-68", "server-64")} <= ids(
        article.answer("picture", {})
    )
    one = ids(article.answer("picture", {"host": "server-68"}))
    assert "bridge/server-68/br-int" in one and "bridge/server-64/br-int" not in one


def test_a_way_is_lit_in_the_picture_and_told(article: Questions) -> None:
    found = article.answer("trace", {"from": "cirros", "to": "10.10.10.4"})
    assert found["delivered"] is True
    assert set(found["way"]) <= ids(found)
    assert found["way"][0] == "namespace/server-233/vm-cirros"
    steps = [line for line in found["lines"] if line["file"]]
    assert {Path(line["file"]).suffix.partition(":")[0] for line in steps} == {".flows"}
    assert found["lines"][-1]["level"] == "good"
    back = article.answer("trace", {"from": "cirros", "to": "10.10.10.4", "reply": "1"})
    assert len(back["lines"]) > len(found["lines"])


def test_a_way_that_ends_early_is_bad(article: Questions) -> None:
    found = article.answer("trace", {"from": "cirros", "to": "172.16.5.146"})
    assert found["delivered"] is False
    assert [line["level"] for line in found["lines"]].count("bad") == 1


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"from": "cirrus", "to": "vm-64"}, "did you mean cirros"),
        ({}, "is no instance, host or address"),
        ({"from": "cirros", "to": "vm-64", "protocol": "sctp"}, "no protocol 'sctp'"),
        ({"from": "cirros", "to": "vm-64", "protocol": "tcp"}, "'' is no port"),
        ({"from": "cirros", "to": "vm-64", "protocol": "udp", "port": "65536"}, "is no port"),
        ({"from": "cirros", "to": "vm-64", "protocol": "tcp", "port": "٣"}, "is no port"),
        ({"from": "cirros", "to": "vm-64", "protocol": "tcp", "port": "9" * 5000}, "is no port"),
    ],
)
def test_a_wrong_question_gets_an_error_for_people(
    article: Questions, query: dict[str, str], error: str
) -> None:
    assert error in article.answer("trace", query)["error"]


def test_the_picture_of_many_hosts_has_those_in_full_that_matter() -> None:
    questions = large()
    assert questions.answer("names", {})["whole"] is False
    shown = {id for id in ids(questions.answer("picture", {})) if id.startswith("bridge/")}
    assert shown == {"bridge/h1/br-int", "bridge/h1/br-tun"}
    way = questions.answer("trace", {"from": "a", "to": "b"})
    assert way["delivered"] is True
    assert {"bridge/h1/br-int", "bridge/h8/br-int"} <= ids(way)
    assert "bridge/h5/br-int" not in ids(way)
    assert "no host 'h9'" in questions.answer("picture", {"host": "h9"})["error"]
