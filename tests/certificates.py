"""Certificates that `dvr pki` would not make: those whose time is over."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dvr_ryu.pki.files import PkiFiles

START, END = "20200101000000Z", "20210101000000Z"


def expire(files: PkiFiles, authority: Path) -> None:
    """Replace an end's certificate by one that its authority's folder signed for 2020."""
    command = ["openssl", "x509", "-x509toreq", "-in", str(files.certificate)]
    command += ["-signkey", str(files.private_key)]
    request = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    sign = ["openssl", "ca", "-config", "ca.cnf", "-batch", "-extensions", "usr_cert"]
    result = subprocess.run(
        [*sign, "-startdate", START, "-enddate", END, "-in", "/dev/stdin"],
        check=True,
        capture_output=True,
        text=True,
        input=request[request.index("-----BEGIN") :],
        cwd=authority,
    )
    files.certificate.write_text(result.stdout)
