"""Makes Python's SSL contexts for switch and controller from an endpoint's files.

Both endpoints show a certificate. The context checks its authority and its dates; the caller checks
the name in it.
"""

from __future__ import annotations

import ssl

from dvr_ryu.errors import HostError
from dvr_ryu.pki.files import PkiFiles


def server(files: PkiFiles) -> ssl.SSLContext:
    """The context of a listening controller. Raise HostError if a file is missing or invalid."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A resumed connection would not show its certificate again.
    context.num_tickets = 0
    return _with_files(context, files)


def client(files: PkiFiles) -> ssl.SSLContext:
    """The context of a connecting switch. Raise HostError if a file is missing or invalid."""
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
