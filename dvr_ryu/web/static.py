"""The files of the page: HTML, styles and modules, as routes. Pure but for reading them once."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.graph.style import style
from dvr_ryu.web.messages import Request, Response, Route, Routes

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOLDER, INDEX = Path(__file__).with_name("page"), "index.html"


def page_routes() -> Routes:
    """Path → the file, and / → the page."""
    routes = {}
    for file in FOLDER.iterdir():
        if file.suffix in TYPES:
            path = "/" if file.name == INDEX else f"/{file.name}"
            routes[path] = _constant(Response(file.read_bytes(), TYPES[file.suffix]))
    # The colours of pictures are graph's; the policy of the page allows no style in an element.
    routes["/picture.css"] = _constant(Response(style().encode(), TYPES[".css"]))
    return routes


def _constant(response: Response) -> Route:
    def route(_: Request) -> Response:
        return response

    return route
