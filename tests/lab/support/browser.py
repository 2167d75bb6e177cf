"""A headless Chromium of Debian, driven by its chromedriver: clicks and keys, as a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 40
"""Seconds for what a page awaits: the worker may just start, on a machine that has much to do."""
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--force-prefers-reduced-motion"),
)


class Browser:
    """A window of the browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def find(self, selector: str) -> WebElement:
        """The first element of a CSS selector, once it is there."""
        found = self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, selector), selector)
        return cast(WebElement, found)

    def click(self, selector: str) -> None:
        """Click the first element of a selector, once it is there: pages draw parts anew."""

        def clicked() -> bool:
            self.driver.find_element(By.CSS_SELECTOR, selector).click()
            return True

        self.until(clicked, selector)

    def all(self, selector: str) -> list[WebElement]:
        """The elements of a CSS selector that are there now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """The text of the first element of a selector, once it is there: pages draw parts anew."""
        script = "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent)"
        return str(self.until(lambda: self.script(script, selector), selector)[0])

    def script(self, text: str, *arguments: Any) -> Any:
        """The result of a function body in the page."""
        return self.driver.execute_script(text, *arguments)

    def until(self, ready: Callable[[], Any], what: str) -> Any:
        """What `ready` returns once it is true. Elements may come and go meanwhile."""
        wait = WebDriverWait(self.driver, PATIENCE, ignored_exceptions=(Exception,))
        return wait.until(lambda _: ready(), what)

    def choose_colours(self, scheme: str) -> None:
        """Prefer light or dark, as a person's system does."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def complaints(self) -> list[str]:
        """All that the browser's console has printed since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def violations(self) -> list[str]:
        """What axe-core has against the page as it is now: roles, names, order, contrast."""
        found = Axe().run(self.driver)["violations"]
        return [
            f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
            for each in found
        ]


@contextmanager
def browser(width: int = 1760, height: int = 1000) -> Iterator[Browser]:
    """A browser for as long as the block lasts."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in (*ARGUMENTS, f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
