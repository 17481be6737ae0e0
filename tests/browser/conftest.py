"""A real server and a real Chromium. Screenshots go to artifacts/screenshots, which git ignores."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from genimage_core.detectors import list_detectors, load_detector
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.combine import load_combination

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "artifacts" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _skip_without_weights() -> None:
    try:
        load_combination()
        for name in list_detectors():
            load_detector(name)
    except GenImageError as error:
        pytest.skip(f"the bundled weights are not complete: {error}")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start the app as a visitor's server would; yield its address."""
    _skip_without_weights()
    port = _free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", "app.py"),
        *("--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"),
        *("--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"),
    ]
    log = ROOT / "artifacts" / "browser-server.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_healthy(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended; see artifacts/browser-server.log"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError("the server does not answer; see artifacts/browser-server.log")


@pytest.fixture(scope="session")
def browser():  # type: ignore[no-untyped-def]
    """Start Chromium; its path can be set with the environment variable CHROMIUM."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; set CHROMIUM to its path")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(BROWSER_FLAGS))
        yield chromium
        chromium.close()
