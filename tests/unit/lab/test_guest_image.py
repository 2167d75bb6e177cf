"""The parts of the image of virtual machines: an archive that cpio reads, programs that still run
when they are shortened, and modules after those that they need.
"""

from __future__ import annotations

import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from dvr_ryu.errors import HostError
from dvr_ryu.lab.guests import modules
from dvr_ryu.lab.guests.cpio import File, Link, archive
from dvr_ryu.lab.guests.elf import shortened
from dvr_ryu.lab.guests.programs import compiled, python_files, with_libraries


def read_back(content: bytes) -> dict[str, tuple[int, bytes]]:
    """Path → mode and content, by the format as the kernel's documentation has it."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert content[at : at + 6] == b"070701" and at % 4 == 0
        fields = [int(content[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        length, mode, size = fields[11], fields[1], fields[6]
        name = content[at + 110 : at + 110 + length - 1].decode()
        begin = (at + 110 + length + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = mode, content[begin : begin + size]
        at = (begin + size + 3) // 4 * 4


def test_an_archive_has_files_links_and_the_folders_above_them() -> None:
    entries: dict[str, File | Link] = {
        "/bin/a": File(b"abc", 0o755),
        "/bin/b": Link("/bin/a"),
        "/usr/lib/c": File(b""),
    }
    assert read_back(archive(entries, frozenset({"/proc"}))) == {
        "bin": (0o40755, b""),
        "proc": (0o40755, b""),
        "usr": (0o40755, b""),
        "usr/lib": (0o40755, b""),
        "bin/a": (0o100755, b"abc"),
        "bin/b": (0o120777, b"/bin/a"),
        "usr/lib/c": (0o100644, b""),
    }


def test_folders_come_before_what_is_in_them() -> None:
    names = list(read_back(archive({"/a/b/c": File(b""), "/a/d": File(b"")})))
    assert names.index("a") < names.index("a/b") < names.index("a/b/c")


def test_a_shortened_program_still_runs(tmp_path: Path) -> None:
    python, _ = python_files([])
    for number, path in enumerate(["/bin/true", "/bin/echo"]):
        program = tmp_path / str(number)
        program.write_bytes(shortened(Path(path).read_bytes()))
        program.chmod(0o755)
        done = subprocess.run([program, "x"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout == ("x\n" if number else "")
        assert program.stat().st_size < Path(path).stat().st_size
    assert shortened(b"#!/bin/sh\n") == b"#!/bin/sh\n"
    assert python.exists()


def test_a_program_comes_with_its_libraries() -> None:
    found = {path.name.partition(".")[0] for path in with_libraries([Path("/bin/ls")])}
    assert {"ls", "libc", "ld-linux-x86-64"} <= found


def test_pythons_own_modules_come_with_those_that_they_import() -> None:
    python, files = python_files(["socket"])
    assert python.resolve() == Path(sys.executable).resolve()
    assert {"socket.py", "selectors.py"} <= {path.name for path in files}
    assert all(path.is_file() for path in files)
    (module,) = (path for path in files if path.name == "socket.py")
    assert compiled(module)[:4] == __import__("importlib.util").util.MAGIC_NUMBER


def module(folder: Path, name: str, depends: str, compressed: bool = False) -> None:
    content = b"\x7fELF\0license=GPL\0depends=" + depends.encode() + b"\0retpoline=Y\0"
    path = folder / f"kernel/{name}.ko{'.xz' if compressed else ''}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(lzma.compress(content) if compressed else content)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_module_comes_after_those_that_it_needs(tmp_path: Path, compressed: bool) -> None:
    module(tmp_path, "virtio_net", "virtio,net_failover", compressed)
    module(tmp_path, "net-failover", "failover", compressed)
    module(tmp_path, "failover", "", compressed)
    module(tmp_path, "virtio", "", compressed)
    found = modules.in_order(tmp_path, ["virtio_net", "virtio"])
    assert list(found) == ["virtio", "failover", "net_failover", "virtio_net"]
    assert all(content.startswith(b"\x7fELF") for content in found.values())


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    module(tmp_path, "virtio_net", "virtio")
    with pytest.raises(HostError, match="no module virtio"):
        modules.in_order(tmp_path, ["virtio_net"])
