"""Explains in plain English, for a log, why TLS with a peer fails. Sends and reads nothing."""

from __future__ import annotations

import ssl

_EXPIRED, _NOT_YET = 10, 9
_FOREIGN = {18, 19, 20, 21}
"""OpenSSL's X509_V_ERR numbers: wrong dates; a chain that ends at none of our authorities."""

_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "shows no certificate",
    "HTTP_REQUEST": "speaks no TLS",
    "WRONG_VERSION_NUMBER": "speaks no TLS",
    "ALERT_CERTIFICATE_EXPIRED": "says that our certificate has expired",
    "ALERT_CERTIFICATE_REQUIRED": "says that we show no certificate",
    "ALERT_PROTOCOL_VERSION": "speaks no TLS of version 1.2 or later",
    "UNSUPPORTED_PROTOCOL": "speaks no TLS of version 1.2 or later",
    "ALERT_UNKNOWN_CA": "says that our certificate is of another authority than its own",
}
"""The end of OpenSSL's name of a reason → the predicate of a sentence about the peer."""


def explain(error: OSError) -> str:
    """The reason why a handshake failed, as the predicate of a sentence about the peer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _objection(error)
    if isinstance(error, ssl.SSLEOFError):
        return "ends the connection before TLS is agreed on"
    if not isinstance(error, ssl.SSLError):
        return f"ends the connection before TLS is agreed on: {error.strerror or error}"
    reason = error.reason or "unknown reason"
    for end, explanation in _REASONS.items():
        if reason.endswith(end):
            return explanation
    return f"cannot agree with us on TLS ({reason.replace('_', ' ').lower()})"


def _objection(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "shows a certificate that has expired"
    if error.verify_code == _NOT_YET:
        return "shows a certificate that is not good yet: see both clocks"
    if error.verify_code in _FOREIGN:
        return "shows a certificate of another authority than ours"
    return f"shows an invalid certificate: {error.verify_message}"
