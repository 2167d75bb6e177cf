"""Makes certificates that `dvr pki` would not make: expired ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dvr_ryu.pki.files import PkiFiles

START, END = "20200101000000Z", "20210101000000Z"


def expire(files: PkiFiles, authority: Path) -> None:
    """Replace an endpoint's certificate by one for 2020 that the authority in this folder
    signed.
    """
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
