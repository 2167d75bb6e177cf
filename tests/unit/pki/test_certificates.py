"""Files that fit together and are valid; each objection of the other endpoint has its line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates, making
from dvr_ryu.pki.files import folder_of_host, of_controller, of_host, owner_of

YEAR = 365 * 86400


@pytest.fixture
def files(pki: Path, tmp_path: Path) -> Path:
    """A copy of h1's files, which a test may damage."""
    return Path(shutil.copytree(folder_of_host(pki, "h1"), tmp_path / "h1"))


def test_made_files_are_valid(pki: Path, files: Path) -> None:
    now = time.time()
    assert certificates.require(of_host(files, "h1"), now).owner == "h1"
    assert certificates.require(of_controller(pki), now).owner == "controller"
    assert certificates.require(of_host(files, "h1"), now).days_left(now) in (3649, 3650)


def other_pki(files: Path) -> None:
    other = files.with_name("other")
    making.init(other)
    made = making.make_host(other, "h1")
    assert made
    for file in ("h1-privkey.pem", "h1-cert.pem"):
        shutil.copy(made / file, files)


def other_host(files: Path) -> None:
    (files / "h1-cert.pem").rename(files / "h10-cert.pem")
    (files / "h1-privkey.pem").rename(files / "h10-privkey.pem")


def other_key(files: Path) -> None:
    shutil.copy(files / "h1-cert.pem", files / "kept")
    other_pki(files)
    shutil.move(files / "kept", files / "h1-cert.pem")


def a_folder(files: Path) -> None:
    (files / "h1-cert.pem").unlink()
    (files / "h1-cert.pem").mkdir()


SPOILED: dict[str, tuple[Callable[[Path], object], str, float, str]] = {
    "no key": (lambda f: (f / "h1-privkey.pem").unlink(), "h1", 0, "h1-privkey.pem: is missing; "),
    "no certificate": (lambda f: (f / "h1-cert.pem").unlink(), "h1", 0, "h1-cert.pem: is missing"),
    "no authority": (lambda f: (f / "controllerca.pem").unlink(), "h1", 0, "controllerca.pem: is"),
    "a folder": (
        a_folder,
        "h1", 0, "h1-cert.pem: Is a directory",
    ),
    "no certificate in it": (
        lambda f: (f / "h1-cert.pem").write_text("-----BEGIN CERTIFICATE-----\n"),
        "h1", 0, "h1-cert.pem has no certificate that can be read",
    ),
    "bytes": (
        lambda f: (f / "h1-privkey.pem").write_bytes(bytes(range(256))),
        "h1", 0, "h1-privkey.pem has no private key that can be read",
    ),
    "another host's": (other_host, "h10", 0, "is the certificate of h1, not of h10; on the contr"),
    "another key": (other_key, "h1", 0, "h1-privkey.pem is not the key of"),
    "too early": (lambda f: None, "h1", -YEAR, "set this machine's clock"),
    "too late": (lambda f: None, "h1", 11 * YEAR, "h1-cert.pem has expired on 20"),
    "another authority's": (other_pki, "h1", 0, "is not signed by"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILED)
def test_each_problem_is_one_line(files: Path, case: str) -> None:
    spoil, host, seconds, expected = SPOILED[case]
    spoil(files)
    with pytest.raises(HostError) as raised:
        certificates.require(of_host(files, host), time.time() + seconds)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("common_name", "owner"),
    [
        ("h1", "h1"),
        ("h1 id:7f0e6d6e-9b55-4a5c-8d43-2f1b1b6a3c55", "h1"),
        ("h10", "h10"),
        ("h1.example", "h1.example"),
        ("h1id:x", "h1id:x"),
    ],
)
def test_a_certificate_is_its_hosts_and_no_others(common_name: str, owner: str) -> None:
    assert owner_of(common_name) == owner
