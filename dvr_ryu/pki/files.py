"""Which files are whose: a host's and the controller's keys, certificates and authorities. Pure.

The folder of `dvr pki init` has two authorities, as ovs-pki makes them: `switchca` signs what hosts
show, `controllerca` what the controller shows. A host needs the files of `hosts/NAME`, and no more.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

FOLDER = Path("/etc/dvr_ryu/pki")
"""Where the controller and the companions look for their files, unless they are told otherwise."""
CONTROLLER = "controller"
"""Whose certificate the controller's is."""
SWITCH_AUTHORITY, CONTROLLER_AUTHORITY = "switchca", "controllerca"
"""ovs-pki's names of the authorities."""


@frozen
class PkiFiles:
    """The files of one end of a connection, `owner`: a host, or the controller."""

    owner: str
    private_key: Path
    certificate: Path
    issuer: Path
    """The certificate of the authority that signs this end's."""
    authority: Path
    """The certificate of the authority that signs the other end's."""

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file."""
        return (self.private_key, self.certificate, self.issuer, self.authority)


def private_key(owner: str) -> str:
    """ovs-pki's name for a private key."""
    return f"{owner}-privkey.pem"


def certificate(owner: str) -> str:
    """ovs-pki's name for a certificate."""
    return f"{owner}-cert.pem"


def authority_of(folder: Path, authority: str) -> Path:
    """The certificate of an authority, in the folder of `dvr pki init`."""
    return folder / authority / "cacert.pem"


def folder_of_host(folder: Path, host: str) -> Path:
    """The folder of a host's files, in the folder of `dvr pki init`."""
    return folder / "hosts" / host


def of_host(folder: Path, host: str) -> PkiFiles:
    """The files of a host, in the folder that it has them in."""
    return PkiFiles(
        host,
        folder / private_key(host),
        folder / certificate(host),
        issuer=folder / f"{SWITCH_AUTHORITY}.pem",
        authority=folder / f"{CONTROLLER_AUTHORITY}.pem",
    )


def of_controller(folder: Path) -> PkiFiles:
    """The controller's files, in the folder of `dvr pki init`, or in one like it."""
    return PkiFiles(
        CONTROLLER,
        folder / private_key(CONTROLLER),
        folder / certificate(CONTROLLER),
        issuer=authority_of(folder, CONTROLLER_AUTHORITY),
        authority=authority_of(folder, SWITCH_AUTHORITY),
    )


def owner_of(common_name: str) -> str:
    """Whose certificate has this common name: ovs-pki writes NAME, or "NAME id:" and a number."""
    return common_name.partition(" id:")[0]
