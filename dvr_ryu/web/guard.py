"""Which requests may be answered, and the headers of every answer. Pure.

A browser on this machine shows pages of any origin, and all of them can send requests here. So a
request must name this machine (against DNS rebinding), and may not come from another origin.
"""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from dvr_ryu.web.messages import Request, Response, refusal

METHODS = ("GET", "HEAD")
_FOREIGN = "this request comes from a page of another origin"

HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""Headers of every response: scripts and styles only from here, no frame, no other origin reads it.
"""


def objection(request: Request, names: Collection[str]) -> Response | None:
    """The refusal of a request; None if it may be answered. `names` are this machine's own."""
    if request.method not in METHODS:
        reason = "this page is read-only: GET and HEAD"
        return refusal(HTTPStatus.METHOD_NOT_ALLOWED, reason, ("Allow", ", ".join(METHODS)))
    host = request.headers.get("host", "")
    if not _is_here(host, names):
        return refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            "the Host header names another machine: call this page by its address",
        )
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return refusal(HTTPStatus.FORBIDDEN, _FOREIGN)
    # A link in another page may lead here: the browser shows the answer, that page cannot read it.
    foreign = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if foreign and request.headers.get("sec-fetch-mode") != "navigate":
        return refusal(HTTPStatus.FORBIDDEN, _FOREIGN)
    return None


def _is_here(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names this machine: by an IP address, which no DNS server can turn to
    another machine, or by one of its own names.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost" or name in names
    return True
