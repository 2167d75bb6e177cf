"""A lab over TLS passes its proof. A host with an invalid certificate stays disconnected; its
companion and the controller both log why. With a valid certificate it reconnects without any
restart.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.services import tls
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pki import making
from dvr_ryu.pki.files import PkiFiles, folder_of_host, of_controller, of_host
from tests.certificates import expire
from tests.lab.support.companions import run

TOPOLOGY = """
controller: tcp:10.0.44.1:6653
hosts: {h1: {address: 10.0.44.2}, h2: {address: 10.0.44.3}}
networks: {blue: {dhcp_host: h1, subnets: [{cidr: 10.1.0.0/24}]}}
instances:
  a: {host: h1, network: blue}
  b: {host: h2, network: blue}
"""
DVR = str(Path(sys.executable).with_name("dvr"))
PATIENCE = 40


@frozen
class Site:
    """The lab that is up."""

    folder: StateFolder
    file: Path
    lab: Lab

    def log(self, service: str) -> list[str]:
        return self.folder.log(service).read_text().splitlines()

    def await_line(self, service: str, text: str, since: int) -> str:
        """Wait for a log line with this text, after the first `since` lines; return it."""
        found: list[str] = []

        def is_logged() -> bool:
            found[:] = [line for line in self.log(service)[since:] if text in line]
            return bool(found)

        wait_until(is_logged, PATIENCE, text, lambda: "\n".join(self.log(service)[-20:]))
        return found[0]

    @property
    def files(self) -> PkiFiles:
        """The TLS files in h2."""
        return of_host(self.lab["h2"].path(tls.FOLDER), "h2")

    def show(self, made: PkiFiles) -> None:
        """Copy the key and the certificate of these files to h2."""
        shutil.copy(made.private_key, self.files.private_key)
        shutil.copy(made.certificate, self.files.certificate)

    def own(self) -> PkiFiles:
        """The files that were made for h2."""
        return of_host(folder_of_host(tls.made_in(self.folder), "h2"), "h2")

    def reconnect(self) -> None:
        """End the connections of h2; its companion then makes new ones."""
        bridges = ("br-int", "br-tun")
        commands = " -- ".join(f"del-controller {bridge}" for bridge in bridges)
        run(self.lab["h2"], f"ovs-vsctl {commands}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    scratch = tmp_path_factory.mktemp("tls")
    folder, file = StateFolder(scratch / "dvr_lab"), scratch / "topology.yaml"
    file.write_text(TOPOLOGY)
    try:
        lifecycle.up(file, lambda _: None, folder, over_tls=True)
        yield Site(folder, file, Lab(lifecycle.running(folder).lab_hosts))
    finally:
        lifecycle.down(folder)


def test_the_proof_passes(site: Site) -> None:
    results = proof.prove(lambda _: None, site.folder)
    assert results and not [result for result in results if not result.passed]
    assert "listening on ssl:10.0.44.1:6653" in "\n".join(site.log("controller"))
    for host in ("h1", "h2"):
        assert run(site.lab[host], "ovs-vsctl get-controller br-int") == "ssl:10.0.44.1:6653\n"


def test_each_host_has_its_own_files_only(site: Site) -> None:
    def names(host: LabHost) -> set[str]:
        folder = host.path(tls.FOLDER)
        return {str(file.relative_to(folder)) for file in folder.rglob("*.pem")}

    authorities = {"switchca.pem", "controllerca.pem"}
    assert names(site.lab["h1"]) == {"h1-privkey.pem", "h1-cert.pem", *authorities}
    assert names(site.lab["h2"]) == {"h2-privkey.pem", "h2-cert.pem", *authorities}
    assert names(site.lab.controller) == {
        *("controller-privkey.pem", "controller-cert.pem"),
        *("switchca/cacert.pem", "controllerca/cacert.pem"),
    }


def anothers(site: Site, _: Path) -> None:
    site.show(of_host(folder_of_host(tls.made_in(site.folder), "h1"), "h1"))


def foreign(site: Site, scratch: Path) -> None:
    making.init(scratch / "pki")
    made = making.make_host(scratch / "pki", "h2")
    assert made
    site.show(of_host(made, "h2"))


def expired(site: Site, scratch: Path) -> None:
    copy = shutil.copytree(tls.made_in(site.folder), scratch / "pki")
    files = of_host(folder_of_host(copy, "h2"), "h2")
    expire(files, copy / "switchca")
    site.show(files)


@pytest.mark.parametrize(
    ("spoil", "by_controller", "by_companion"),
    [
        (anothers, "but its certificate is of h1: refused", "is the certificate of h1, not of h2"),
        (foreign, "shows a certificate of another authority", "is not signed by"),
        (expired, "shows a certificate that has expired", "has expired on 2021-01-01"),
    ],
)
def test_a_bad_certificate_is_refused_reported_and_replaced(
    site: Site,
    tmp_path: Path,
    spoil: Callable[[Site, Path], None],
    by_controller: str,
    by_companion: str,
) -> None:
    marks = {name: len(site.log(name)) for name in ("controller", "companion-h2")}
    spoil(site, tmp_path)
    site.reconnect()
    assert "10.0.44.3:" in site.await_line("controller", by_controller, marks["controller"])
    line = site.await_line("companion-h2", by_companion, marks["companion-h2"])
    assert "dvr pki" in line or "copy both again" in line
    mended = len(site.log("controller"))
    site.show(site.own())
    for bridge in ("br-int", "br-tun"):
        site.await_line("controller", f"h2/{bridge} in sync", mended)
    assert site.log("companion-h2")[marks["companion-h2"] :].count(line) == 1
    assert "Traceback" not in "\n".join(site.log("controller"))


def test_a_missing_file_is_reported_before_it_is_needed(site: Site) -> None:
    mark = len(site.log("companion-h2"))
    site.files.private_key.unlink()
    site.await_line("companion-h2", "h2-privkey.pem: is missing; on the controller's machine", mark)
    site.show(site.own())


def test_a_foreign_controller_is_reported(site: Site, tmp_path: Path) -> None:
    """The controller's files are replaced while it runs; a host notices at its next connection."""
    making.init(tmp_path / "pki")
    impostor, mark = of_controller(tmp_path / "pki"), len(site.log("companion-h2"))
    files = of_controller(site.lab.controller.path(tls.FOLDER))
    good = {file: file.read_bytes() for file in files.all}
    shutil.copy(impostor.private_key, files.private_key)
    shutil.copy(impostor.certificate, files.certificate)
    shutil.copy(impostor.issuer, files.issuer)
    site.reconnect()
    site.await_line("companion-h2", "no bridge is connected to ssl:10.0.44.1:6653 (", mark)
    check = [DVR, "companion", "check", str(site.file), "--host", "h2", "--tls"]
    result = site.lab["h2"].run([*check, "--pki", tls.FOLDER], check=False)
    assert "shows a certificate of another authority than ours" in result.stdout
    mended = len(site.log("controller"))
    for file, content in good.items():
        file.write_bytes(content)
    site.await_line("controller", "h2/br-tun in sync", mended)


def test_a_switch_without_tls_is_refused(site: Site) -> None:
    mark = len(site.log("controller"))
    hello = """if True:
        import socket
        with socket.create_connection(("10.0.44.1", 6653)) as connected:
            connected.sendall(bytes.fromhex("0500000800000001"))
            try:
                print(connected.recv(100))
            except ConnectionError:
                print(b"")"""
    assert site.lab["h2"].run([sys.executable, "-c", hello]).stdout == "b''\n"
    line = site.await_line("controller", "speaks no TLS, and the file says ssl:", mark)
    assert "10.0.44.3:" in line


def test_edits_and_new_hosts_go_on_over_tls(site: Site) -> None:
    edited = TOPOLOGY.replace("10.0.44.3}", "10.0.44.3}, h3: {address: 10.0.44.4}")
    site.file.write_text(f"{edited}  c: {{host: h3, network: blue}}\n")
    lifecycle.up(site.file, lambda _: None, site.folder)
    results = proof.prove(lambda _: None, site.folder)
    assert not [result for result in results if not result.passed]
    lab = Lab(lifecycle.running(site.folder).lab_hosts)
    assert run(lab["h3"], "ovs-vsctl get-controller br-tun") == "ssl:10.0.44.1:6653\n"


def test_an_edit_to_tls_waits_for_good_files_and_an_edit_back_gives_back(
    lab: Lab, tmp_path: Path
) -> None:
    """The host's Open vSwitch has foreign TLS settings."""
    host, file, pki = lab["server-68"], tmp_path / "topology.yaml", tmp_path / "pki"
    plain = "controller: tcp:10.0.44.1:6653\nhosts: {server-68: {address: 10.0.44.68}}\n"

    def dvr(*arguments: str) -> tuple[int, str]:
        named = [] if arguments[0] == "down" else [str(file), "--pki", str(pki)]
        result = host.run(
            [DVR, "companion", *arguments, "--host", "server-68", *named], check=False
        )
        return result.returncode, result.stdout + result.stderr

    run(host, "ovs-vsctl --bootstrap set-ssl /etc/key.pem /etc/cert.pem /etc/ca.pem")
    theirs = run(host, "ovs-vsctl --columns=private_key,bootstrap_ca_cert,external_ids list SSL")
    file.write_text(plain)
    assert dvr("apply")[0] == 0
    file.write_text(plain.replace("tcp:", "ssl:"))
    code, output = dvr("apply")
    assert (code, output.splitlines()[-1]) == (
        1,
        f"{pki}/server-68-privkey.pem: is missing; on the controller's machine: dvr pki host "
        "server-68; then copy its files here",
    )
    assert run(host, "ovs-vsctl get-controller br-int") == "tcp:10.0.44.1:6653\n"
    making.init(tmp_path / "made")
    made = making.make_host(tmp_path / "made", "server-68")
    assert made
    shutil.copytree(made, pki)
    code, output = dvr("apply")
    assert (
        code == 0 and "Open vSwitch's settings for TLS, with the key /etc/key.pem, were" in output
    )
    assert f"{pki}/server-68-cert.pem" in run(host, "ovs-vsctl get-ssl")
    assert run(host, "ovs-vsctl get-controller br-int") == "ssl:10.0.44.1:6653\n"
    assert "no change" in dvr("apply")[1]
    file.write_text(plain)
    assert dvr("apply")[0] == 0
    columns = "--columns=private_key,bootstrap_ca_cert,external_ids"
    assert run(host, f"ovs-vsctl {columns} list SSL") == theirs
    file.write_text(plain.replace("tcp:", "ssl:"))
    assert dvr("apply")[0] == 0
    assert dvr("down")[0] == 0
    assert run(host, f"ovs-vsctl {columns} list SSL") == theirs
