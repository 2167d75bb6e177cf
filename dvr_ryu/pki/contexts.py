"""TLS between a switch and a controller, as Python's ssl has it, from an end's files.

Both ends show a certificate. It counts by its authority and its dates; a name in it is the caller's
affair.
"""

from __future__ import annotations

import ssl

from dvr_ryu.errors import HostError
from dvr_ryu.pki.files import PkiFiles


def server(files: PkiFiles) -> ssl.SSLContext:
    """What a controller listens with. Raise HostError if a file is missing or no good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A connection that is resumed would not show its certificate once more.
    context.num_tickets = 0
    return _with_files(context, files)


def client(files: PkiFiles) -> ssl.SSLContext:
    """What a switch connects with. Raise HostError if a file is missing or no good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _with_files(context, files)


def _with_files(context: ssl.SSLContext, files: PkiFiles) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(files.certificate, files.private_key)
        context.load_verify_locations(files.authority)
    except OSError as error:
        raise HostError(f"cannot speak TLS as {files.owner}: {error.strerror or error}") from None
    return context
