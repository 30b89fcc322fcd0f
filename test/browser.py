"""A real Chromium without a window, for tests of pages."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 30.0  # seconds
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """A page in the browser, with words for what tests ask of it."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        driver.get(address)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Return the text of the first element that matches, empty if there is none."""
        return self.run("return document.querySelector(arguments[0])?.textContent.trim() ?? ''", selector)

    def run(self, script: str, *values: Any) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(script, *values)

    def until(self, happened: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Wait until `happened()` is true and return its value; fail with `what` after a while."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if value := happened():
                    return value
            except StaleElementReferenceException:
                pass
            time.sleep(0.1)
        raise AssertionError(
            f"waited {patience:.0f} s in vain for {what}; the page says:\n{self.text('body')}"
        )

    def complaints(self) -> list[str]:
        """Return what went wrong in the page since this was asked last: failures, refused content."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def save(self, path: Path, height: int = 0) -> None:
        """Keep a picture of the page, whole if `height` is 0."""
        width = self.run("return innerWidth")
        height = height or self.run("return document.documentElement.scrollHeight")
        self.resize(width, height)
        self.driver.save_screenshot(str(path))

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def dark(self, dark: bool) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


@contextmanager
def chromium() -> Iterator[Chrome]:
    """Run Debian's Chromium; skip the test where there is none."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("no Chromium here: sudo apt install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = Chrome(options, ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()
