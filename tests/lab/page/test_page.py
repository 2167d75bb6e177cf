"""The page of a running lab, in a real browser: what a person sees, clicks and types."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from dvr_ryu.lab import entering, lifecycle
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.shipped import flows_dir
from tests.lab.support.browser import Browser, browser

LAB = """\
hosts:
  h1: {address: 10.0.0.1}
  h2: {address: 10.0.0.2}
networks:
  blue:  {subnets: [{cidr: 10.1.0.0/24}]}
  green: {subnets: [{cidr: 10.2.0.0/24}]}
routers:
  r1: {interfaces: [{network: blue}, {network: green}]}
instances:
  a: {host: h1, network: blue}
  b: {host: h2, network: green, ip: 10.2.0.20}
"""


@frozen
class Site:
    """A lab that is up, its files, and its page in a browser."""

    folder: StateFolder
    file: Path
    flows: Path
    window: Browser

    def run(self, name: str, command: str) -> str:
        host, namespace = entering.find(name, self.folder)
        return host.run(command.split(), namespace=namespace, check=False).stdout

    def open(self, way: str = "") -> None:
        state = self.folder.read()
        assert state
        self.window.driver.get("about:blank")
        self.window.driver.get(state.page + way)
        self.window.find("#canvas svg")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    scratch = tmp_path_factory.mktemp("page")
    file, flows = scratch / "lab.yaml", scratch / "flows"
    file.write_text(LAB)
    shutil.copytree(flows_dir(), flows)
    folder = StateFolder(scratch / "dvr_lab")
    try:
        lifecycle.up(file, lambda _: None, folder, flows)
        with browser() as window:
            yield Site(folder, file, flows, window)
    finally:
        lifecycle.down(folder)


@pytest.fixture(autouse=True)
def quiet(site: Site) -> Iterator[None]:
    """Each test begins with the page as it opens, and leaves nothing in the browser's console."""
    site.open()
    site.window.complaints()
    yield
    assert site.window.complaints() == []


def trace(window: Browser, source: str, target: str) -> None:
    """Type two names, and press Enter."""
    for name, text in (("from", source), ("to", target)):
        field = window.find(f"#trace [name={name}]")
        field.clear()
        field.send_keys(text)
    field.send_keys(Keys.ENTER)
    window.until(lambda: f"{source} to {target}" in window.text("#way"), "the story")


def test_it_opens_with_the_picture_and_what_is_in_sync(site: Site) -> None:
    window = site.window
    window.until(lambda: "in sync: 2 hosts, 4 bridges" in window.text("#summary"), "the summary")
    bridges = {each.get_attribute("id") for each in window.all("#canvas g.bridge")}
    assert bridges == {
        f"bridge/{host}/{name}" for host in ("h1", "h2") for name in ("br-int", "br-tun")
    }
    assert window.text("#state table").count("in sync") == 4
    assert window.script("return document.documentElement.scrollWidth <= innerWidth")


def test_two_names_light_the_way_and_tell_its_story(site: Site) -> None:
    window = site.window
    trace(window, "a", "b")
    assert "delivered: instance b on h2 gets it" in window.text("#way .verdict")
    story = window.text("#way .story")
    assert story.index("h1") < story.index("router r1") < story.index("h2")
    lit = {each.get_attribute("id") for each in window.all("#canvas .passed")}
    assert {"bridge/h1/br-int", "bridge/h1/br-tun", "bridge/h2/br-tun", "bridge/h2/br-int"} <= lit
    assert not {id for id in lit if id and "dhcp" in id}
    window.click("#trace [type=reset]")
    window.until(lambda: not window.all("#canvas .passed"), "the picture without a way")


_HELD_BACK = """
const ask = window.fetch;
window.fetch = async (path, options) => {
  if (path !== "/picture.json") return ask(path, options);
  window.fetch = ask;
  const answer = await ask(path, options);
  await new Promise((resolve) => (window.release = resolve));
  return answer;
};
document.querySelector("#shown").dispatchEvent(new Event("change"));
"""
"""Asks for the picture, and holds its answer back until `release()`."""


def test_a_late_picture_does_not_cover_a_way(site: Site) -> None:
    window = site.window
    window.script(_HELD_BACK)
    window.until(lambda: window.script("return 'release' in window"), "the answer that waits")
    trace(window, "a", "b")
    window.until(lambda: window.all("#canvas .passed"), "the way")
    window.script("release(); return new Promise((resolve) => setTimeout(resolve))")
    assert window.all("#canvas .passed")


def test_the_address_of_the_page_has_the_way(site: Site) -> None:
    site.open("#from=b&to=a&protocol=icmp&reply=1")
    site.window.until(lambda: "The answer" in site.window.text("#way"), "the story with the answer")
    assert site.window.all("#canvas .passed")


def test_a_wrong_name_gets_a_hint(site: Site) -> None:
    window = site.window
    for name, text in (("from", "a"), ("to", "bb")):
        window.find(f"#trace [name={name}]").send_keys(text)
    window.click("#trace .main")
    window.until(lambda: "'bb' is no instance" in window.text("#way"), "the hint")
    assert window.all("#canvas svg")


def test_pings_count_at_the_lines_that_they_meet(site: Site) -> None:
    window = site.window
    window.click('[id="bridge/h1/br-tun"] > .heading')
    assert window.find("#bridge").get_attribute("value") == "h1/br-tun"
    window.click("#counted")
    site.run("a", "ping -c 30 -i 0.1 10.2.0.20")
    counted = "#tables .line[data-location^='br-tun.flows:'] .packets"
    window.until(
        lambda: max(int(each.text) for each in window.all(counted)) >= 30,
        "thirty packets of a line",
    )
    assert "b (10.2.0.20)" not in window.text("#tables"), "sentences are the file's, with holes"
    assert "actions=" in window.text("#tables .source")


def test_a_drop_is_seen(site: Site) -> None:
    """The gateway has the same MAC on each host, so questions for it stay here."""
    window = site.window
    dropping = "#tables .line.drops:not(.idle)"
    window.click('[data-bridge="h1/br-tun"]')
    window.find("#tables .table")
    site.run("a", "arping -c 3 -w 3 -I eth0 10.1.0.1")
    window.until(lambda: window.all(dropping), "a line that drops has counted")
    assert "drop" in window.text(dropping)
    assert "packets met a line that drops" in window.text("#tables .chip.bad")


def test_a_step_of_the_story_leads_to_its_line(site: Site) -> None:
    window = site.window
    trace(window, "a", "b")
    step = window.all("#way .file")[-1]
    location = step.text
    step.click()
    line = window.find("#tables .pointed")
    assert line.get_attribute("data-location") == location
    assert window.find("#bridge").get_attribute("value") == "h2/br-int"


def test_an_edit_of_a_line_is_seen_everywhere(site: Site) -> None:
    """A broken line, and what the page makes of it: the worked example of docs/seeing.rst."""
    window, file = site.window, site.flows / "br-tun.flows"
    good = file.read_text()
    broken = good.replace("mod_vlan_vid:{network.vlan},goto_table:DVR_NOT_LEARN", "drop")
    assert broken != good
    window.click("#tab-edits")
    file.write_text(broken)
    try:
        window.until(lambda: "goto_table:DVR_NOT_LEARN" in window.text("#edits"), "the difference")
        assert "applied" in window.text("#edits .chip.good")
        assert {each.text[0] for each in window.all("#edits .minus")} == {"-"}
        trace(window, "a", "b")
        assert window.all("#way .verdict.bad")
        assert "br-tun" in window.text("#canvas .ended") and "ends here" in window.text(
            "#canvas .end"
        )
        window.click("#tab-edits")
        file.write_text(broken.replace("table 4 ", "tabel 4 "))
        window.until(lambda: window.all("#edits .chip.bad"), "it is refused")
        window.click("#tab-state")
        window.until(lambda: "not in force" in window.text("#state"), "the save is not in force")
        assert "br-tun.flows:" in window.text("#state pre.error")
        assert window.find("#summary").get_attribute("data-state") == "bad"
    finally:
        file.write_text(good)
    window.until(lambda: "in sync: 2 hosts" in window.text("#summary"), "all is right again")
    window.until(lambda: "delivered" in window.text("#way .verdict"), "the way is traced again")
    assert window.find("#state").is_displayed(), "the panel in view stays"


def test_a_bridge_that_is_gone_is_marked(site: Site) -> None:
    window = site.window
    host, _ = entering.find("h2", site.folder)
    companion = host.service_pid("companion")
    target = site.run("h2", "ovs-vsctl get-controller br-tun").strip()
    site.run("h2", f"kill -STOP {companion}")  # it would mend this
    site.run("h2", "ovs-vsctl del-controller br-tun")
    try:
        window.until(lambda: "not in sync: 1 of 4" in window.text("#summary"), "it is gone")
        astray = [each.get_attribute("id") for each in window.all("#canvas .astray")]
        assert astray == ["bridge/h2/br-tun"]
        assert "not connected" in window.text("#state")
    finally:
        site.run("h2", f"ovs-vsctl set-controller br-tun {target}")
        site.run("h2", f"kill -CONT {companion}")
    window.until(lambda: "in sync: 2 hosts" in window.text("#summary"), "it is back")
    window.until(lambda: not window.all("#canvas .astray"), "its mark is gone")


def test_the_keyboard_reaches_everything(site: Site) -> None:
    """The Tab key goes through the form, the picture's bridges and the panel, in that order."""
    window = site.window
    window.until(lambda: window.all("#state [data-bridge]"), "the table of bridges")
    keys, reached = ActionChains(window.driver), list[str]()
    for _ in range(40):
        keys.send_keys(Keys.TAB).perform()
        focus = (
            "const it = document.activeElement; return it.id || it.name || it.dataset.bridge || ''"
        )
        reached.append(window.script(focus))
    wanted = ["from", "to", "protocol", "reply", "shown", "canvas", "bridge/h1/br-int",
              "bridge/h2/br-tun", "tab-state", "h1/br-int"]  # fmt: skip
    assert [each for each in reached if each in wanted][: len(wanted)] == wanted
    bridge = window.find('[id="bridge/h2/br-int"]')
    window.script("arguments[0].focus()", bridge)
    keys.send_keys(Keys.ENTER).perform()
    assert window.find("#bridge").get_attribute("value") == "h2/br-int"
    window.find("#tab-lines").send_keys(Keys.ARROW_RIGHT)
    assert window.find("#tab-edits").get_attribute("aria-selected") == "true"
    assert window.script("return document.activeElement.id") == "tab-edits"
    window.find("#tab-edits").send_keys(Keys.HOME)
    assert window.find("#tab-state").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_violation(site: Site, colours: str) -> None:
    window = site.window
    window.choose_colours(colours)
    trace(window, "a", "b")
    for tab in ("way", "lines", "edits", "state"):
        window.click(f"#tab-{tab}")
        window.find(f"#{tab} > *")
        assert window.violations() == [], tab


def test_a_narrow_window_has_all_of_it(site: Site) -> None:
    window = site.window
    window.driver.set_window_size(600, 900)
    try:
        assert window.script("return document.documentElement.scrollWidth <= innerWidth")
        trace(window, "a", "b")
        assert "delivered" in window.text("#way .verdict")
    finally:
        window.driver.set_window_size(1760, 1000)
