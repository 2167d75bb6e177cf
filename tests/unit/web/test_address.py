"""The text of an option becomes an address, or an error that says what to write."""

from __future__ import annotations

import pytest

from dvr_ryu.errors import DvrError
from dvr_ryu.web.address import DEFAULT, PageAddress, page_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (DEFAULT, "127.0.0.1", 8080),
        ("localhost:80", "127.0.0.1", 80),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:8080", "::1", 8080),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    assert page_address(text, "page") == PageAddress(host, port)


def test_a_socket_that_listens_already_is_named_by_its_descriptor() -> None:
    assert page_address("fd:7", "page") == PageAddress("", 0, 7)


def test_off_is_no_address() -> None:
    assert page_address("off", "page") is None


def test_an_address_is_written_as_a_browser_takes_it() -> None:
    assert PageAddress("::1", 80).url == "http://[::1]:80/"
    assert PageAddress("127.0.0.1", 80).url == "http://127.0.0.1:80/"


@pytest.mark.parametrize(
    "text", ["", "8080", "127.0.0.1", "127.0.0.1:65536", "example.org:80", "1.2.3:80", "a b:80"]
)
def test_anything_else_is_refused_with_the_option_and_an_example(text: str) -> None:
    with pytest.raises(DvrError, match=r"\[dvr\] page = .*such as 127\.0\.0\.1:8080"):
        page_address(text, "[dvr] page")
