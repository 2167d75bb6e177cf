"""Requests that do not name this machine, or come from another origin's page, get nothing."""

from __future__ import annotations

import pytest

from dvr_ryu.web.guard import objection
from dvr_ryu.web.messages import Request

NAMES = {"box", "box.example"}


def status(method: str = "GET", host: str | None = "127.0.0.1:8080", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, "/", headers={**({"host": host} if host else {}), **named})
    refused = objection(request, NAMES)
    return refused.status if refused else 200


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "127.0.0.1", "localhost:8080", "[::1]:8080", "10.0.0.1:80", "BOX:80",
     "box.example"],
)  # fmt: skip
def test_this_machine_is_named_by_address_or_name(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "box.evil.example",
     "", None, "[::1", "user@evil.example", "127.0.0.1@evil.example"],
)  # fmt: skip
def test_another_name_is_refused(host: str | None) -> None:
    assert status(host=host) == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get"])
def test_nothing_can_be_changed(method: str) -> None:
    assert status(method) == 405


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"origin": "http://127.0.0.1:8081"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}, 200),
        ({"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}, 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"}, 403),
    ],
)
def test_pages_of_other_origins_get_nothing(headers: dict[str, str], expected: int) -> None:
    assert status(**headers) == expected
