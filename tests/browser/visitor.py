"""What a visitor does with the app in a browser, and what must not happen meanwhile."""

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from genimage_core.detectors.weights.store import trained_detectors

RUNNING = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState"
ALL = len(trained_detectors())


class Visitor:
    """One browser tab on the app, which notes down errors and requests to elsewhere."""

    def __init__(self, browser: Any, address: str, *, width: int = 1280, scheme: str = "light") -> None:
        height = 800 if width > 600 else 780
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.address = address
        self.troubles: list[str] = []
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.on("request", self._note_request)

    def __enter__(self) -> "Visitor":
        self.page.goto(self.address)
        self.settle()
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def settle(self) -> None:
        """Wait until the page stands and the server has nothing more to say."""
        self.page.locator("h1").first.wait_for()
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(f"{RUNNING} === 'notRunning'", timeout=120_000)
        # What a rerun has not reached yet is shown faded, and fades back in.
        self.page.wait_for_function("!document.querySelector('[data-stale=\"true\"]')", timeout=120_000)
        self.page.wait_for_timeout(500)

    def go(self, title: str) -> None:
        self.page.locator(".st-key-top_bar a", has_text=title).click()
        self.page.wait_for_timeout(500)
        self.settle()

    def upload(self, *paths: Path) -> None:
        self.page.set_input_files("input[type=file]", [str(path) for path in paths])

    def wait_for_scores(self) -> None:
        """Wait until all detectors have answered and the verdict stands."""
        self.page.wait_for_function(
            f"document.querySelectorAll('.gl-row .gl-track[aria-valuenow]').length >= {ALL}"
            " && document.querySelector('.gl-words:not(.gl-wait), .gl-change')",
            timeout=120_000,
        )

    def wait_for_rows(self) -> None:
        """Wait until all detectors have answered, whether or not there is a verdict."""
        self.page.wait_for_function(
            f"document.querySelectorAll('.gl-row .gl-track[aria-valuenow]').length >= {ALL}",
            timeout=120_000,
        )

    def scores(self) -> list[str]:
        return self.page.locator(".gl-row .gl-track[aria-valuenow]").evaluate_all(
            "bars => bars.map(bar => bar.ariaValueNow ?? bar.getAttribute('aria-valuenow'))"
        )

    def shoot(self, path: Path) -> None:
        """Take the whole page: it scrolls inside a pane, so the window grows to the pane's height."""
        path.parent.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        whole = max(size["height"], min(height + 8, 6000))
        self.page.set_viewport_size({"width": size["width"], "height": whole})
        self.page.wait_for_timeout(700)
        self.page.screenshot(path=path)
        self.page.set_viewport_size(size)

    def assert_well(self) -> None:
        """No error box, no error in the console, no request to another site, nothing wider than the page."""
        for box in ("stException", "stAlertContentError"):
            assert not self.page.locator(f"[data-testid={box}]").count(), f"{box} on {self.page.url}"
        assert not self.troubles, self.troubles
        wider = self.page.evaluate(
            "(() => { const m = document.querySelector('[data-testid=stMain]');"
            " return m.scrollWidth - m.clientWidth; })()"
        )
        assert wider <= 1, f"the page is {wider} px wider than the window"

    def _note_console(self, message: Any) -> None:
        url = (message.location or {}).get("url", "")
        # On a page's own address Streamlit looks for its server below that address first, and finds 404.
        if message.type == "error" and "/_stcore/" not in url:
            self.troubles.append(f"console: {message.text} {url}")

    def _note_request(self, request: Any) -> None:
        parts = urlparse(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != urlparse(self.address).netloc:
            self.troubles.append(f"request to {request.url}")
