"""`dvr pki`: its new files, their readers, existing files, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.errors import DvrError
from dvr_ryu.pki import making
from dvr_ryu.pki.files import folder_of_host, of_controller, of_host


def modes(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}


def test_a_host_has_its_own_files_and_the_authorities_certificates(pki: Path) -> None:
    assert modes(folder_of_host(pki, "h1")) == {
        "h1-privkey.pem": 0o600,
        "h1-cert.pem": 0o644,
        "switchca.pem": 0o644,
        "controllerca.pem": 0o644,
    }


def test_the_folder_has_nothing_but_authorities_controller_and_hosts(pki: Path) -> None:
    assert modes(pki) == {
        "controller-privkey.pem": 0o600,
        "controller-cert.pem": 0o644,
        "controllerca": 0o755,
        "switchca": 0o755,
        "hosts": 0o755,
    }


def test_private_keys_are_for_their_owner_only(pki: Path) -> None:
    keys = [*pki.rglob("*privkey.pem"), *pki.rglob("cakey.pem")]
    assert len(keys) == 4
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_existing_files_stay(pki: Path) -> None:
    before = {each: each.read_bytes() for each in pki.rglob("*") if each.is_file()}
    assert making.init(pki) == []
    assert making.make_host(pki, "h1") is None
    assert {each: each.read_bytes() for each in pki.rglob("*") if each.is_file()} == before


def test_a_removed_key_is_made_anew_by_the_same_authorities(pki: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    shutil.copytree(pki, folder)
    files = of_controller(folder)
    before = files.private_key.read_bytes()
    files.certificate.unlink()
    assert making.init(folder) == [files.private_key, files.certificate]
    assert files.private_key.read_bytes() != before
    authority = of_host(folder_of_host(pki, "h1"), "h1").authority
    assert authority.read_bytes() == files.issuer.read_bytes()


def test_a_lost_authority_is_not_made_anew(pki: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    shutil.copytree(pki, folder)
    shutil.rmtree(folder / "switchca")
    for make in (lambda: making.init(folder), lambda: making.make_host(folder, "h2")):
        with pytest.raises(DvrError, match=r"switchca/cacert\.pem is missing"):
            make()


def test_the_longest_name_of_a_host_is_the_certificates(pki: Path, tmp_path: Path) -> None:
    """The name does not fit into ovs-pki's usual common name, NAME and a UUID."""
    folder = tmp_path / "pki"
    shutil.copytree(pki, folder)
    assert making.make_host(folder, "h" * 63)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["host", "../h2", "--dir", "{pki}"], "'../h2' is not a name"),
        (["host", "h2", "--dir", "{pki}/hosts/h1"], "has no authorities; make them first: dvr pki"),
        (["host", "h2", "--dir", "/nowhere"], "has no authorities; make them first: dvr pki init"),
        (["init", "{pki}/controller-cert.pem"], "cannot make files in"),
    ],
)
def test_an_error_is_one_line_and_changes_nothing(
    pki: Path, arguments: list[str], expected: str
) -> None:
    before = sorted(pki.rglob("*"))
    done = CliRunner().invoke(cli, ["pki", *(word.format(pki=pki) for word in arguments)])
    assert isinstance(done.exception, DvrError)
    assert expected in str(done.exception)
    assert "\n" not in str(done.exception)
    assert sorted(pki.rglob("*")) == before


def test_the_commands_print_what_to_copy(pki: Path) -> None:
    done = CliRunner().invoke(cli, ["pki", "host", "h1", "--dir", str(pki)])
    assert done.exit_code == 0
    assert f"scp -p {pki}/hosts/h1/* root@h1:/etc/dvr_ryu/pki/" in done.stderr
