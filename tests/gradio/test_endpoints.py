"""The Gradio demo, running: called by its own client and by an MCP client, as scripts and agents call it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genimage_core.detectors import load_detector
from genimage_core.verdict.labels import ANSWER_STYLES, LABEL_STYLES
from gradio_demo import html
from tests.conftest import make_image
from tests.helpers.doc_commands import blocks

gradio_client = pytest.importorskip("gradio_client", reason="gradio is an extra")
ROOT = Path(__file__).resolve().parents[2]
DETECTOR = "gramnet"  # the smallest
START = 480
"""Seconds that a busy machine may take to start the server."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio")),
        "GENIMAGE_DEMO_DETECTORS": DETECTOR,
    }
    log = tmp_path_factory.mktemp("log") / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "gradio_app.py"], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/config", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"no answer after {START} s: {log.read_text()}")


@pytest.fixture(scope="module")
def client(server: str) -> Any:
    return gradio_client.Client(server, verbose=False)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "picture.jpg"
    Image.fromarray(make_image(7)).save(path, quality=40)
    return path


def test_the_api_has_three_typed_endpoints(client: Any) -> None:
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/detect", "/degrade", "/tables"}
    assert [p["parameter_name"] for p in endpoints["/degrade"]["parameters"]] == ["image", "how"]


def test_detect_answers_as_the_core_does(client: Any, picture: Path) -> None:
    answer = client.predict(gradio_client.handle_file(picture), api_name="/detect")
    pixels = np.asarray(Image.open(picture))
    expected = float(load_detector(DETECTOR).predict([pixels])[0])
    assert answer["detectors"] == {DETECTOR: pytest.approx(expected, abs=1e-3)}
    assert answer["verdict"] in LABEL_STYLES
    assert answer["answer"] in ANSWER_STYLES
    assert answer["basis"] in ("pixels", "none")
    assert any("JPEG quality about 40" in note for note in answer["notes"])  # the file came untouched
    assert answer["provenance"]["ai"] is None


def test_degrade_gives_both_pictures_and_both_scores(client: Any, picture: Path) -> None:
    pictures, answer = client.predict(
        gradio_client.handle_file(picture), "lowres:32:down", api_name="/degrade"
    )
    assert [Image.open(p).size for p in pictures] == [(160, 160), (32, 32)]
    assert answer["applied"] == "lowres:32:down"
    assert answer["before"]["detectors"] != answer["after"]["detectors"]


def test_tables_gives_rows_and_source(client: Any) -> None:
    answer = client.predict("task1_sd14", api_name="/tables")
    assert len(answer["rows"]) == 7
    assert "GenImage" in answer["source"]
    assert answer["recomputed_average"]["ResNet-50"] == pytest.approx(72.1, abs=0.05)


@pytest.mark.parametrize(
    ("name", "arguments", "words_"),
    [
        ("/detect", ["broken"], "not an image"),
        ("/degrade", ["picture", "melt:3"], "no such degradation"),
        ("/tables", ["nonsense"], "not in the list"),
    ],
)
def test_what_is_wrong_is_said_without_a_path(
    client: Any, picture: Path, tmp_path: Path, name: str, arguments: list[str], words_: str
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("this is text")
    files = {"broken": gradio_client.handle_file(broken), "picture": gradio_client.handle_file(picture)}
    with pytest.raises(Exception, match=words_) as caught:
        client.predict(*[files.get(a, a) for a in arguments], api_name=name)
    assert "/tmp" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_upload_over_the_limit_is_refused(server: str) -> None:
    boundary = "edge"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode() + bytes(32_000_000)
    body += f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        f"{server}/gradio_api/upload",
        body,
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 413


def test_uploads_are_deleted_and_nobody_is_counted(server: str) -> None:
    with urllib.request.urlopen(f"{server}/config", timeout=30) as answer:
        config = json.load(answer)
    assert config["analytics_enabled"] is False
    from gradio_demo.interface import FORGET_AFTER, build

    assert build().delete_cache == (FORGET_AFTER, FORGET_AFTER)


def test_an_mcp_client_finds_and_calls_the_tools(server: str, picture: Path) -> None:
    pytest.importorskip("mcp", reason="gradio[mcp] is an extra")
    tools, detected, table = asyncio.run(_through_mcp(f"{server}/gradio_api/mcp/", picture))
    assert sorted(tools) == ["degrade", "detect", "tables"]
    assert "AI-generated" in tools["detect"]
    assert '"verdict"' in detected or "'verdict'" in detected
    assert "ResNet-50" in table


def test_the_call_shown_in_the_docs_works_as_shown(
    server: str,
    picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "photo.jpg").write_bytes(picture.read_bytes())
    monkeypatch.chdir(tmp_path)
    (text,) = [block.text for block in blocks(ROOT / "docs" / "api.md") if "Client(URL)" in block.text]
    exec(compile(text, "api.md", "exec"), {"URL": server})
    shown = capsys.readouterr().out
    assert any(verdict in shown for verdict in LABEL_STYLES)
    assert "ResNet-50" in shown


async def _through_mcp(url: str, picture: Path) -> tuple[dict[str, str], str, str]:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    data = "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()
    async with (
        streamable_http_client(url) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {tool.name: tool.description or "" for tool in (await session.list_tools()).tools}
        detected = await session.call_tool("detect", {"image": data})
        table = await session.call_tool("tables", {"table": "task1_sd14"})
    return tools, _text(detected), _text(table)


def _text(result: Any) -> str:
    assert not result.isError, result
    return "".join(getattr(part, "text", "") for part in result.content)


def test_words_from_a_file_cannot_become_markup() -> None:
    bad = "<script>alert(1)</script>"
    answer = {"answer": "ai", "headline": bad, "sentence": bad, "facts": [bad], "notes": [bad]}
    shown = html.verdict(answer | {"provenance": {"explanation": bad}}) + html.bars({bad: 0.9}, {})
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 6
