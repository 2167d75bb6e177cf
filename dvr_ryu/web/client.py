"""Asks a controller's page for a document. It sends nothing but GET."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from dvr_ryu.errors import DvrError

PATIENCE = 10.0
"""Seconds to wait for an answer."""
MOST_BYTES = 64 << 20


class NoAnswer(DvrError):
    """No page of a controller answers there."""


def fetch(url: str, path: str) -> dict[str, Any]:
    """The document at a path of the page at `url`. Raises NoAnswer."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}", "http")
        if parts.scheme != "http" or not parts.hostname:
            raise NoAnswer(f"{url} is no address of a page: write http://ADDRESS:PORT/")
        client = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        with closing(client):
            client.request("GET", path)
            response = client.getresponse()
            content = response.read(MOST_BYTES)
        if response.status != 200:
            reason = content.decode(errors="replace").strip()[:200]
            raise NoAnswer(f"{url} answers {response.status}: {reason}")
        document = json.loads(content)
        if not isinstance(document, dict):
            raise ValueError
        return document
    except OSError as error:
        raise NoAnswer(f"no controller answers at {url}: {error.strerror or error}") from None
    except (http.client.HTTPException, ValueError):
        raise NoAnswer(f"what answers at {url} is no controller of dvr_ryu") from None
