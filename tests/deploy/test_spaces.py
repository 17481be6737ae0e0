"""The Spaces: what is laid out can be pushed, and the Dockerfile's steps work in a clean folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.spaces import __main__ as spaces
from deploy.spaces.check import check_space, front_matter
from deploy.spaces.layout import ROOT, SPACES, lay_out, requirements

ORDINARY_USER = 1000
START = 480
"""Seconds that a busy machine may take to start the app."""
# No connection but to this machine itself: what a start needs from elsewhere fails.
NO_NETWORK = """
import socket
_connect = socket.socket.connect
def connect(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"the network is not to be used: {address}")
    return _connect(self, address)
socket.socket.connect = connect
"""


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("build")
    for space in SPACES.values():
        lay_out(space, out)
    return out


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Both Spaces of a repository that is the real one without its big files."""
    root = tmp_path / "root"
    for path in ("deploy", "gradio_demo", "experiments"):
        shutil.copytree(ROOT / path, root / path, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ("pages", ".streamlit", "genimage_core"):
        (root / path).mkdir(parents=True)
    for path in ("app.py", "gradio_app.py", "requirements.txt", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / path, root / path)
    (root / "assets" / "weights").mkdir(parents=True)
    (root / "assets" / "weights" / "manifest.json").write_text('{"detectors": {}}')
    for space in SPACES.values():
        lay_out(space, tmp_path, root)
    return tmp_path


@pytest.mark.parametrize("name", SPACES)
def test_what_is_laid_out_can_be_pushed(laid_out: Path, name: str) -> None:
    assert check_space(laid_out / f"space-{name}") == []


def test_the_front_matter_is_what_the_hub_takes(small: Path) -> None:
    docker, gradio = front_matter(small / "space-streamlit"), front_matter(small / "space-gradio")
    assert (docker.sdk, docker.app_port) == ("docker", 8501)
    assert (gradio.sdk, gradio.app_file) == ("gradio", "gradio_app.py")


def test_the_gradio_space_needs_no_streamlit() -> None:
    names = {re.split(r"[\[><=]", line)[0] for line in requirements("gradio")}
    assert "gradio" in names
    assert "torch" in names
    assert "streamlit" not in names


LACKS = '{"x": {"files": [{"path": "x.safetensors"}]}}'


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "said"),
    [
        ("streamlit", "README.md", "app_port: 8501\n", "", "needs app_port"),
        ("streamlit", "README.md", "colorFrom: blue", "colorFrom: mauve", "colorFrom"),
        ("streamlit", "Dockerfile", "--server.port=8501", "--server.port=80", "does not serve port 8501"),
        ("streamlit", "Dockerfile", "USER user\n", "", "does not run as user 1000"),
        ("streamlit", "app.py", "style()", "urlopen('x')", "fetches something"),
        ("streamlit", "assets/weights/manifest.json", "{}", LACKS, "not in the folder"),
        ("gradio", "README.md", "sdk_version: 6", "sdk_version: 5", "does not allow gradio"),
        ("gradio", ".gitattributes", "*.png", "*.bmp", "not in .gitattributes"),
    ],
)  # fmt: skip
def test_the_checker_finds_what_would_fail(
    small: Path, name: str, file: str, old: str, new: str, said: str
) -> None:
    folder = small / f"space-{name}"
    (folder / "assets" / "one.png").write_bytes(b"png")
    assert check_space(folder) == []
    _edit(folder / file, old, new)
    (problem, *_) = check_space(folder)
    assert said in problem


def test_push_uploads_the_checked_folder(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    class Hub:
        def create_repo(self, repository: str, **options: Any) -> None:
            calls.append((repository, options))

        def upload_folder(self, **options: Any) -> None:
            calls.append(("upload", options))

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    command = ["push", "streamlit", "someone/lab", "--out", str(small)]
    assert CliRunner().invoke(spaces.app, command).exit_code == 0
    assert calls[0] == ("someone/lab", {"repo_type": "space", "space_sdk": "docker", "exist_ok": True})
    assert calls[1][1]["folder_path"] == small / "space-streamlit"
    (small / "space-streamlit" / "README.md").write_text("nothing")
    assert CliRunner().invoke(spaces.app, command).exit_code != 0
    assert len(calls) == 2


def dockerfile(folder: Path) -> list[tuple[str, str]]:
    """(instruction, arguments) of a Dockerfile, comments left out and continued lines joined."""
    text = re.sub(r"^#.*\n", "", (folder / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


class Image:
    """Plays a Dockerfile in a clean folder, as an ordinary user where that is possible."""

    def __init__(self, context: Path, home: Path) -> None:
        self.context, self.work = context, home / "app"
        self.work.mkdir()
        (home / "site").mkdir()
        (home / "site" / "sitecustomize.py").write_text(NO_NETWORK)
        self.environment = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(home / "site"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.user = ordinary_user()
        if self.user:
            for path in (home, *home.rglob("*")):
                os.chown(path, ORDINARY_USER, ORDINARY_USER)

    def set(self, text: str) -> None:
        for word in shlex.split(text):
            name, _, value = word.partition("=")
            if name not in ("HOME", "PATH"):
                self.environment[name] = value

    def copy(self, text: str) -> None:
        *sources, target = [word for word in shlex.split(text) if not word.startswith("--")]
        assert target == "."
        for source in sources:
            path = self.context / source
            if path.is_dir():
                shutil.copytree(path, self.work, dirs_exist_ok=True)
            else:
                shutil.copy(path, self.work)
        if self.user:
            for path in (self.work, *self.work.rglob("*")):
                os.chown(path, ORDINARY_USER, ORDINARY_USER)

    def run(self, text: str) -> None:
        words = shlex.split(text)
        if words[0] == "useradd":
            assert str(ORDINARY_USER) in words
            return
        if words[0] == "pip":  # nothing is fetched here: what is installed has to satisfy what is asked for
            words = [w for w in words if w not in ("--user", "--no-cache-dir")]
            if "--index-url" in words:
                del words[words.index("--index-url") : words.index("--index-url") + 2]
            words = ["python", "-m", *words, "--dry-run", "--no-index", "--quiet"]
        if words[-1] == "deploy.prepare":
            words.append("gramnet")  # one stands for all, for time's sake; the slow test takes all
        subprocess.run(words, cwd=self.work, env=self.environment, check=True, timeout=500, **self.user)

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=self.work, env=self.environment, **self.user)


def ordinary_user() -> dict[str, Any]:
    """What makes a child process an ordinary user's; nothing where it is one anyway, or where that user may
    not enter the folder that this Python lies in."""
    if os.geteuid() != 0:
        return {}
    user = {"user": ORDINARY_USER, "group": ORDINARY_USER, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", ""], cwd="/", check=True, capture_output=True, **user)  # type: ignore[call-overload]
    except (OSError, subprocess.CalledProcessError):
        return {}
    return user


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's own folder: an ordinary user cannot enter that.
    with tempfile.TemporaryDirectory(prefix="space-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_the_dockerfiles_steps_lead_to_an_app_that_answers_without_network(
    laid_out: Path, home: Path
) -> None:
    folder = laid_out / "space-streamlit"
    image, command = Image(folder, home), []
    for instruction, text in dockerfile(folder):
        match instruction:
            case "ENV":
                image.set(text)
            case "COPY":
                image.copy(text)
            case "RUN":
                image.run(text)
            case "CMD":
                command = json.loads(text)
            case _:
                assert instruction in ("FROM", "USER", "WORKDIR", "EXPOSE")
    assert image.environment["GENIMAGE_PUBLIC"] == "1"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = image.start([word.replace("8501", str(port)) for word in command])
    try:
        assert _answer(f"http://127.0.0.1:{port}/_stcore/health", process) == "ok"
        assert "<title>" in _answer(f"http://127.0.0.1:{port}/", process)
    finally:
        process.terminate()
        process.wait(30)


def _answer(url: str, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + START
    while time.monotonic() < end:
        assert process.poll() is None, "the app ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{url}: no answer after {START} s")


@pytest.mark.slow
def test_every_detector_is_prepared(laid_out: Path) -> None:
    command = [sys.executable, "-m", "deploy.prepare"]
    done = subprocess.run(
        command, cwd=laid_out / "space-streamlit", capture_output=True, text=True, check=True
    )
    listed = json.loads((ROOT / "assets" / "weights" / "manifest.json").read_text())["detectors"]
    assert done.stdout.count(": ready") == len(listed)
