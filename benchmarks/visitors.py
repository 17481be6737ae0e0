"""Many visitors at once: what the app and the Gradio API do under load, in the browser's own protocol.

`python -m benchmarks.visitors --visitors 20 --seconds 300` starts the app on a free port, lets
each one open the Detect page, upload a picture, wait for the verdict, ask for evidence, and start anew;
then asks Gradio's API. It reports seconds from upload to verdict, errors, and the server's memory.
`--soak 2000` sends so many pictures by a few visitors and reports the memory as it grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genimage_core.utils.atomic_write import write_whole

VERDICT = '<p class="gl-words"><span'
"""How the verdict's HTML starts; what stands in its place before has no such shape."""
PATIENCE = 600.0
"""Seconds after which a visitor counts as failed."""


@dataclass
class Outcome:
    """What the visitors met.

    Attributes:
        verdicts, evidence: seconds each took.
        errors: what went wrong, in words.
        waited: visits in which a place in the queue was shown.
        memory: (seconds since the start, resident MB) of the server.
    """

    verdicts: list[float] = field(default_factory=list)
    evidence: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    waited: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """JSON-ready figures."""
        peak = max((megabytes for _, megabytes in self.memory), default=0.0)
        return {
            "verdicts": len(self.verdicts),
            "seconds_to_verdict": _percentiles(self.verdicts),
            "seconds_to_evidence": _percentiles(self.evidence),
            "visits_that_queued": self.waited,
            "errors": len(self.errors),
            "first_errors": self.errors[:5],
            "peak_mb": round(peak),
            "memory_mb": [
                (round(at), round(mb)) for at, mb in self.memory[:: max(1, len(self.memory) // 40)]
            ],
        }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ranked = sorted(values)
    return {
        "p50": round(statistics.median(ranked), 2),
        "p95": round(ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))], 2),
        "max": round(ranked[-1], 2),
    }


def picture(rng: random.Random, side: int) -> bytes:
    """A JPEG that no visitor sent before: its pixels come from the generator's state."""
    import cv2

    noise = np.random.default_rng(rng.getrandbits(63))
    coarse = noise.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (side, side * 3 // 4), interpolation=cv2.INTER_CUBIC)
    grain = noise.normal(0, 4, image.shape)
    done, data = cv2.imencode(".jpg", np.clip(image + grain, 0, 255).astype(np.uint8))
    assert done
    return data.tobytes()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def server(command: list[str], port: int, health: str, outcome: Outcome) -> AsyncIterator[str]:
    """Start a server, wait until it answers, measure its memory, stop it.

    Yields:
        Its address without the scheme, such as 127.0.0.1:8501.
    """
    import httpx

    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "0"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watcher = None
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(600):
                try:
                    if (await client.get(f"http://127.0.0.1:{port}{health}")).status_code == 200:
                        break
                except httpx.HTTPError:
                    await asyncio.sleep(0.5)
            else:
                raise RuntimeError("the server did not start")
        watcher = asyncio.create_task(_watch(process.pid, outcome))
        yield f"127.0.0.1:{port}"
    finally:
        if watcher is not None:
            watcher.cancel()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


async def _watch(pid: int, outcome: Outcome) -> None:
    start = time.monotonic()
    while True:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        outcome.memory.append((time.monotonic() - start, pages * os.sysconf("SC_PAGE_SIZE") / 2**20))
        await asyncio.sleep(1)


class Visit:
    """One browser tab on the Detect page, as far as Streamlit's protocol goes."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = ""
        self.widgets: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self.html: str = ""
        self.state: dict[str, Any] = {}
        self.queued = False

    async def open(self) -> None:
        """Connect and run the page once."""
        import websockets

        options: dict[str, Any] = {"subprotocols": ["streamlit"], "max_size": None, "ping_timeout": None}
        address = f"ws://{self.address}/_stcore/stream"
        self.socket = await websockets.connect(address, open_timeout=120, **options)
        await self.run()

    async def close(self) -> None:
        """Leave."""
        await self.socket.close()

    async def run(self, *, until: str = "", fragment: str = "") -> None:
        """Send the widgets' states and follow the run to its end, or until a text is on the page.

        Raises:
            RuntimeError: the page shows an error.
        """
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        message.rerun_script.page_name = "detect"
        if fragment:
            message.rerun_script.fragment_id = fragment
        for state in self.state.values():
            message.rerun_script.widget_states.widgets.append(state)
        self.html = ""
        await self.socket.send(message.SerializeToString())
        await self._follow(until)

    async def _follow(self, until: str) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            data = await asyncio.wait_for(self.socket.recv(), PATIENCE)
            message = ForwardMsg()
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id or self.session
            elif kind == "delta":
                self._take(message.delta)
                if until and until in self.html:
                    return
            elif kind == "file_urls_response":
                self.urls = list(message.file_urls_response.file_urls)
                return
            elif kind == "script_finished" and not until:
                return
            elif kind == "script_finished" and message.script_finished == 0 and until not in self.html:
                raise RuntimeError(f"the run ended without {until!r}")
        raise RuntimeError("no answer in time")

    def _take(self, delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise RuntimeError(f"{element.exception.type}: {element.exception.message}")
        if kind in ("file_uploader", "button_group"):
            widget = getattr(element, kind)
            self.widgets[kind] = widget.id
            if kind == "button_group":
                self.options[widget.id] = [option.content for option in widget.options]
                self.fragment = delta.fragment_id
        text = {"html": lambda: element.html.body, "alert": lambda: element.alert.body}.get(str(kind))
        if text:
            self.html += text()
            self.queued |= "ahead of you" in self.html
        if kind in ("imgs", "plotly_chart"):
            self.html += f"<{kind}>"

    async def upload(self, name: str, data: bytes) -> None:
        """Hand a file over as the browser does, and wait for the verdict."""
        import httpx
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.WidgetStates_pb2 import WidgetState

        ask = BackMsg()
        ask.file_urls_request.request_id = name
        ask.file_urls_request.file_names.append(name)
        ask.file_urls_request.session_id = self.session
        await self.socket.send(ask.SerializeToString())
        await self._follow("")
        (urls,) = self.urls
        async with httpx.AsyncClient(timeout=PATIENCE, base_url=f"http://{self.address}") as client:
            await client.get("/_stcore/health")  # gives the cookie that uploads are checked by
            token = client.cookies.get("_streamlit_xsrf", "")
            answer = await client.put(
                urls.upload_url,
                files={"file": (name, data, "image/jpeg")},
                headers={"X-Xsrftoken": token or ""},
            )
            answer.raise_for_status()
        state = WidgetState(id=self.widgets["file_uploader"])
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(data), urls.file_id
        info.file_urls.CopyFrom(urls)
        self.state["file_uploader"] = state
        await self.run(until=VERDICT)

    async def evidence(self, number: int) -> None:
        """Choose a kind of evidence, and wait for its picture."""
        from streamlit.proto.WidgetStates_pb2 import WidgetState

        while "button_group" not in self.widgets:
            await self._follow("")
        state = WidgetState(id=self.widgets["button_group"])
        options = self.options[state.id]
        state.string_array_value.data.append(options[number % len(options)])
        self.state["button_group"] = state
        await self.run(fragment=self.fragment)


async def visit(
    address: str, seed: int, until: float, side: int, outcome: Outcome, most: int = 10**9
) -> None:
    """Bring pictures until the time is up, each time in a new tab."""
    rng = random.Random(seed)
    for number in range(most):
        if time.monotonic() > until:
            return
        tab = Visit(address)
        try:
            await tab.open()
            began = time.monotonic()
            await tab.upload(f"picture-{seed}-{number}.jpg", picture(rng, side))
            outcome.verdicts.append(time.monotonic() - began)
            began = time.monotonic()
            await tab.evidence(rng.randrange(100))
            outcome.evidence.append(time.monotonic() - began)
        except Exception as error:
            outcome.errors.append(f"{type(error).__name__}: {error}"[:300])
            await asyncio.sleep(1)
        finally:
            outcome.waited += tab.queued
            if hasattr(tab, "socket"):
                await tab.close()


async def ask_gradio(address: str, seed: int, until: float, side: int, outcome: Outcome) -> None:
    """Ask Gradio's API until the time is up."""
    import tempfile

    from gradio_client import Client, handle_file

    rng = random.Random(seed)
    client = await asyncio.to_thread(Client, f"http://{address}", verbose=False)
    while time.monotonic() < until:
        with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
            file.write(picture(rng, side))
            file.flush()
            began = time.monotonic()
            try:
                answer = await asyncio.to_thread(client.predict, handle_file(file.name), api_name="/detect")
                assert "verdict" in json.dumps(answer, default=str)
                outcome.verdicts.append(time.monotonic() - began)
            except Exception as error:
                outcome.errors.append(f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(1)


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Both servers under load, one after the other."""
    found: dict[str, Any] = {"options": vars(options) | {"out": str(options.out)}, "cpus": os.cpu_count()}
    app = Outcome()
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.port", str(port)]
    async with server(command, port, "/_stcore/health", app) as address:
        until = time.monotonic() + (options.seconds if not options.soak else 10**6)
        each = -(-options.soak // options.visitors) if options.soak else 10**9
        await asyncio.gather(
            *(visit(address, seed, until, options.side, app, each) for seed in range(options.visitors))
        )
    found["streamlit"] = app.summary()
    if not options.soak and not options.app_only:
        demo = Outcome()
        port = free_port()
        async with server([sys.executable, "gradio_app.py"], port, "/", demo) as address:
            until = time.monotonic() + options.seconds
            await asyncio.gather(
                *(ask_gradio(address, seed, until, options.side, demo) for seed in range(options.visitors))
            )
        found["gradio"] = demo.summary()
    return found


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--side", type=int, default=1024, help="longer side of the pictures, px")
    parser.add_argument("--soak", type=int, default=0, help="pictures to send in all, instead of a time")
    parser.add_argument("--app-only", action="store_true", help="leave Gradio out")
    parser.add_argument("--out", type=Path, default=Path("visitors.json"))
    options = parser.parse_args()
    found = asyncio.run(run(options))
    text = json.dumps(found, indent=1) + "\n"
    write_whole(options.out, text.encode())
    print(text)


if __name__ == "__main__":
    main()
