"""A thread makes the same namespaces as `ip netns`, also on a host without any."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

PRIVATE_RUN = "mount --make-rprivate / && mount -t tmpfs none /run && exec "
PREFACE = """
import json, os, subprocess
from pathlib import Path
from dvr_ryu.companion.providers.netlink import namespaces
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.errors import HostError

def ip(*arguments):
    process = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    return process.stdout.split() if process.returncode == 0 else process.stderr

def propagation():
    return subprocess.run(
        ["findmnt", "-n", "-o", "PROPAGATION", "/run/netns"], capture_output=True, text=True
    ).stdout.split()[-1]  # what /run hides is listed, too

here = os.stat("/proc/thread-self/ns/net").st_ino
one, two = Namespace("one"), Namespace("two")
"""


def alone(lines: str, *also: str) -> Any:
    """Run Python in a new mount namespace with an empty /run, and in new namespaces of the kinds of
    `also`; return its result.
    """
    program = f"{PREFACE}{lines}\nprint(json.dumps(result))"
    command = ["unshare", "--mount", *also, "sh", "-ec", f'{PRIVATE_RUN}"$@"', "-"]
    process = subprocess.run(
        [*command, sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_they_are_like_those_of_ip_netns() -> None:
    result = alone("""
namespaces.Namespaces().make([one, two])
result = [sorted(ip("netns")), propagation(), here == os.stat("/proc/thread-self/ns/net").st_ino]
result.append([resource.name for resource in namespaces.read()])
result.append(ip("netns", "exec", "one", "cat", "/proc/sys/net/ipv4/ip_forward"))
result.append([os.stat(f"/run/netns/{name}").st_ino for name in ("one", "two")])
""")
    listed, shared, back, ours, inside, numbers = result
    assert listed == ours == ["one", "two"]
    assert shared == "shared" and back and inside == ["0"]
    assert len(set(numbers)) == 2


def test_ip_netns_and_we_end_each_others() -> None:
    result = alone("""
namespaces.Namespaces().make([one, two])
result = [ip("netns", "add", "three"), ip("netns", "del", "two")]
namespaces.Namespaces().remove([one, two])
result += [ip("netns"), os.listdir("/run/netns"), os.listdir(namespaces.NOTES), propagation()]
""")
    assert result == [[], [], ["three"], ["three"], [], "shared"]


def test_a_file_of_one_that_was_killed_becomes_a_namespace() -> None:
    result = alone("""
namespaces.Namespaces().make([one])
Path("/run/netns/two").touch(mode=0)
(namespaces.NOTES / "two").touch()
result = [[resource.name for resource in namespaces.read()]]
namespaces.Namespaces().make([one, two])
result.append([resource.name for resource in namespaces.read()])
""")
    assert result == [["one"], ["one", "two"]]


@pytest.mark.parametrize("file", ["/run/netns/one", "/run/netns/two"])
def test_a_foreign_file_is_not_taken_for_a_namespace(file: str) -> None:
    result = alone(f"""
Path("/run/netns").mkdir()
Path({file!r}).touch()
try:
    namespaces.Namespaces().make([one, two])
    result = ""
except HostError as error:
    result = str(error)
""")
    name = file.rpartition("/")[2]
    assert result.startswith(f"the namespace {name} exists and is not dvr_ryu's")


def test_the_kernels_refusal_names_the_request() -> None:
    result = alone(
        """
Path("/proc/sys/user/max_net_namespaces").write_text("0")
try:
    namespaces.Namespaces().make([one])
    result = ""
except HostError as error:
    result = str(error)
result = [result, here == os.stat("/proc/thread-self/ns/net").st_ino]
""",
        "--user",
        "--map-root-user",
    )
    assert result == ["the kernel refuses: ip netns add one: No space left on device", True]
