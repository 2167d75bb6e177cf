"""The page's files: all that they name is served, from here only, and in the policy's terms."""

from __future__ import annotations

import re

from dvr_ryu.web.messages import Request
from dvr_ryu.web.static import FOLDER, page_routes

ROUTES = page_routes()
TEXTS = {path: ROUTES[path](Request("GET", path)).body.decode() for path in ROUTES}
MODULES = {path: text for path, text in TEXTS.items() if path.endswith(".js")}


def test_every_file_is_served_and_the_page_is_at_the_root() -> None:
    assert len(ROUTES) == len([*FOLDER.iterdir()]) + 1  # picture.css is made
    assert TEXTS["/"].startswith("<!doctype html>")
    assert ".dvr-picture" in TEXTS["/picture.css"]


def test_all_that_the_page_names_is_here() -> None:
    named = set(re.findall(r'(?:src|href)="(/[^"]*)"', TEXTS["/"]))
    named |= {
        f"/{name}" for text in MODULES.values() for name in re.findall(r'from "\./([^"]+)"', text)
    }
    assert named | {"/"} == set(ROUTES)


def test_nothing_comes_from_elsewhere() -> None:
    for text in TEXTS.values():
        foreign = re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)
        assert [each for each in foreign if each != "http://www.w3.org"] == []


def test_there_is_no_script_or_style_in_an_element() -> None:
    """The Content-Security-Policy would refuse it."""
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)|\son\w+=", TEXTS["/"])
    for text in MODULES.values():
        assert not re.search(r"\binnerHTML\b|\beval\(|new Function|setAttribute\(.style", text)


def test_ids_that_modules_get_are_in_the_page() -> None:
    ids = set(re.findall(r'id="([^"]+)"', TEXTS["/"]))
    for text in MODULES.values():
        assert set(re.findall(r'(?<![.\w])get\("([^"]+)"\)', text)) <= ids
