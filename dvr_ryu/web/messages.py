"""A request, a response, and the table of routes. Pure.

A route is a function: request → response. It runs in a thread of its own. In the controller that is
a greenlet, so a route that computes for long does so apart. A route changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen

MOST_FIELDS = 32
"""So many fields may a query have."""


@frozen
class Request:
    """A request without its body. The names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    """The last value of each field of the query."""
    headers: Mapping[str, str] = field(factory=dict)

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str]) -> Request:
        """The request for a target such as /trace.json?from=a&to=b. Raises ValueError."""
        parts = urlsplit(target)
        fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        return cls(method, unquote(parts.path), dict(fields), headers)


@frozen
class Response:
    """A whole response."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = HTTPStatus.OK
    headers: tuple[tuple[str, str], ...] = ()
    """More headers than those that every response has."""


Route: TypeAlias = Callable[[Request], Response]
Routes: TypeAlias = Mapping[str, Route]
"""Path → route. A path is matched whole."""


def document(data: Any, status: int = HTTPStatus.OK) -> Response:
    """Plain data as JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), "application/json", status)


def refusal(status: HTTPStatus, reason: str, *headers: tuple[str, str]) -> Response:
    """One line for people about a request that gets nothing."""
    return Response(f"{reason}\n".encode(), status=status, headers=headers)
