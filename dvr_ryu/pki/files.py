"""The paths of the keys, certificates and authorities of the hosts and the controller. Pure.

The folder of `dvr pki init` has ovs-pki's two authorities: `switchca` signs the hosts'
certificates, `controllerca` the controller's. A host needs only the files of `hosts/NAME`.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

FOLDER = Path("/etc/dvr_ryu/pki")
"""The default folder of the files of the controller and of the companions."""
CONTROLLER = "controller"
"""The owner in the controller's certificate."""
SWITCH_AUTHORITY, CONTROLLER_AUTHORITY = "switchca", "controllerca"
"""ovs-pki's names of the authorities."""


@frozen
class PkiFiles:
    """The files of one endpoint of a connection. The `owner` is a host or the controller."""

    owner: str
    private_key: Path
    certificate: Path
    issuer: Path
    """The certificate of the authority that signs this endpoint's certificate."""
    authority: Path
    """The certificate of the authority that signs the other endpoint's certificate."""

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
    """The files of a host in its own folder."""
    return PkiFiles(
        host,
        folder / private_key(host),
        folder / certificate(host),
        issuer=folder / f"{SWITCH_AUTHORITY}.pem",
        authority=folder / f"{CONTROLLER_AUTHORITY}.pem",
    )


def of_controller(folder: Path) -> PkiFiles:
    """The controller's files, in the folder of `dvr pki init` or in a copy of it."""
    return PkiFiles(
        CONTROLLER,
        folder / private_key(CONTROLLER),
        folder / certificate(CONTROLLER),
        issuer=authority_of(folder, CONTROLLER_AUTHORITY),
        authority=authority_of(folder, SWITCH_AUTHORITY),
    )


def owner_of(common_name: str) -> str:
    """The owner in a common name, for which ovs-pki writes NAME, or "NAME id:" and a number."""
    return common_name.partition(" id:")[0]
