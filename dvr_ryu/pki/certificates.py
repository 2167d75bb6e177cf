"""Checks by openssl whether an endpoint's TLS files fit together and are valid now. Only reads.

Open vSwitch itself needs openssl, so every host has it.
"""

from __future__ import annotations

import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from dvr_ryu.errors import HostError
from dvr_ryu.packages import packages_of
from dvr_ryu.pki.files import CONTROLLER, PkiFiles, owner_of

SECONDS_OF_A_DAY = 86400
WARNING_DAYS = 30
"""The number of days before a certificate expires in which there is a warning."""

_COMMON_NAME = re.compile(r"^\s*commonName\s*= (.*)$", re.MULTILINE)
_DATES = re.compile(r"^not(?:Before|After)=(.*)$", re.MULTILINE)
_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----.*-----END PUBLIC KEY-----", re.DOTALL)


@frozen
class Certificate:
    """The contents of a certificate. It is valid from `begins` to `ends` (seconds since 1970)."""

    owner: str
    begins: int
    ends: int
    public_key: str

    @property
    def last_day(self) -> str:
        """The day on which it expires, "2036-11-27"."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.ends))

    def days_left(self, now: float) -> int:
        """The whole days until it expires; negative after that."""
        return int((self.ends - now) // SECONDS_OF_A_DAY)


def read(file: Path) -> Certificate:
    """Read a certificate. Raise HostError if it is missing, unreadable or no certificate."""
    arguments = [
        "-subject",
        "-nameopt",
        "multiline,utf8,-esc_msb",
        "-startdate",
        "-enddate",
        "-pubkey",
    ]
    text = _openssl(file, "x509", "-noout", *arguments)
    names, dates, key = _COMMON_NAME.findall(text), _DATES.findall(text), _PUBLIC_KEY.search(text)
    assert key
    begins, ends = map(ssl.cert_time_to_seconds, dates)
    return Certificate(owner_of(names[0]) if len(names) == 1 else "", begins, ends, key[0])


def require(files: PkiFiles, now: float) -> Certificate:
    """Return the certificate of an endpoint, if its files are valid `now`.

    Raise HostError with the first objection that the other endpoint would have.
    """
    for file in files.all:
        _require_readable(file, files.owner)
    shown = read(files.certificate)
    for wrong in _objections(files, shown, now):
        raise HostError(wrong)
    return shown


def advice(owner: str) -> str:
    """The advice if an endpoint's files are missing or no longer valid."""
    if owner == CONTROLLER:
        return "make them: dvr pki init DIR; or remove the controller's, and make them anew"
    return f"on the controller's machine: dvr pki host {owner}; then copy its files here"


def _require_readable(file: Path, owner: str) -> None:
    try:
        file.open("rb").close()
    except PermissionError:
        raise HostError(f"{file}: this user may not read it; give it to this user: chown") from None
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"{error.strerror}"
        raise HostError(f"{file}: {reason}; {advice(owner)}") from None


def _objections(files: PkiFiles, shown: Certificate, now: float) -> Iterator[str]:
    file, owner = files.certificate, files.owner
    key = _PUBLIC_KEY.search(_openssl(files.private_key, "pkey", "-pubout"))
    if shown.owner != owner:
        yield f"{file} is the certificate of {shown.owner or 'nobody'}, not of {owner}; " + (
            advice(owner)
        )
    if not key or key[0] != shown.public_key:
        yield f"{files.private_key} is not the key of {file}; copy both again"
    if now < shown.begins:
        day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(shown.begins))
        yield f"{file} is good from {day} only; set this machine's clock"
    for each, certificate in ((file, shown), *((ca, read(ca)) for ca in files.all[2:])):
        if now > certificate.ends:
            yield f"{each} has expired on {certificate.last_day}; {advice(owner)}"
    if not _is_signed(files):
        yield f"{file} is not signed by {files.issuer}; copy both again, from one dvr pki init"


def _is_signed(files: PkiFiles) -> bool:
    """Whether the authority signed the certificate; dates are ignored."""
    command = ["openssl", "verify", "-no_check_time", "-CAfile", str(files.issuer)]
    return _run([*command, str(files.certificate)]).returncode == 0


def _openssl(file: Path, subcommand: str, *options: str) -> str:
    result = _run(["openssl", subcommand, "-in", str(file), *options])
    if result.returncode:
        what = "private key" if subcommand == "pkey" else "certificate"
        raise HostError(f"{file} has no {what} that can be read; copy it again")
    return result.stdout


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, errors="replace"
        )
    except FileNotFoundError:
        package = packages_of(["openssl"])
        raise HostError(f"openssl is missing; install it: apt install {package}") from None
    except OSError as error:
        raise HostError(f"openssl cannot be run: {error.strerror}; try again") from None
