"""Every command that the documentation shows is run on small data made here; long ones are checked only."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import typer
from PIL import Image
from safetensors.torch import save_file

from genimage_core import api, cli, detectors
from genimage_core.detectors import registry
from genimage_core.detectors.weights import store as weights
from genimage_core.evaluation import devices
from tests.conftest import make_image
from tests.helpers.doc_commands import PAGES, ROOT, Command, blocks, commands, inline_commands

SMALL = ("gramnet", "spec", "resnet50")
"""The detectors that stand for all, for time's sake; the README names the last two."""
RUNNABLE = [page for page in PAGES if any(not command.long for command in commands(page))]
_load = registry.load_detector


@functools.cache
def loaded(name: str, *, weights: str | Path = "default", device: str = "auto", runtime: Any = "auto") -> Any:
    return _load(name, weights=weights, device=device, runtime="torch")


@pytest.fixture
def workplace(toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with everything that the commands name, and a weight set of three detectors."""
    toy_dataset.rename(tmp_path / "DIR")
    (tmp_path / "folder").mkdir()
    for path in ("photo.jpg", "folder/one.jpg"):
        Image.fromarray(make_image(9)).save(tmp_path / path)
    _own_detector(tmp_path / "configs")
    bundled = weights.BUNDLED
    manifest = json.loads((bundled / "manifest.json").read_text())["detectors"]
    small = tmp_path / "weights"
    small.mkdir()
    (small / "manifest.json").write_text(json.dumps({"detectors": {n: manifest[n] for n in SMALL}}))
    for name in SMALL:
        for file in manifest[name]["files"]:
            (small / file["path"]).symlink_to(bundled / file["path"])
    monkeypatch.setattr(weights, "BUNDLED", small)
    registry.list_detectors()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(weights, "OWN", dict(weights.OWN))
    for module in (api, detectors, devices, registry):
        monkeypatch.setattr(module, "load_detector", loaded)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    api._load.cache_clear()  # its detectors are not those that others would get


def _own_detector(folder: Path) -> None:
    """The config of docs/own_detector.md with a checkpoint for it."""
    folder.mkdir()
    (card,) = [block.text for block in blocks(ROOT / "docs" / "own_detector.md") if block.language == "yaml"]
    (folder / "mine.yaml").write_text(card)
    torch.manual_seed(0)
    save_file(timm.create_model("resnet18", num_classes=2).state_dict(), folder / "mine.safetensors")


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(
    page: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in commands(page):
        if not command.long:
            _run(command, monkeypatch)
            assert capsys.readouterr().out, f"{command}: no output"


def _run(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.words[:3] == ["python", "-m", "genimage_core"], (
        f"{command}: mark it as long, or run it here"
    )
    for name, value in command.environment.items():
        monkeypatch.setenv(name, value)
    if "GENIMAGE_DETECTORS" in command.environment:
        from genimage_core.detectors.custom.register import register_configs

        known = set(registry._REGISTRY) - {"mine"}
        assert register_configs(Path(command.environment["GENIMAGE_DETECTORS"]), known) == []
    monkeypatch.setattr(sys, "argv", ["genimage", *command.words[3:]])
    code: object = 0
    try:
        cli.main()
    except SystemExit as done:
        code = done.code
    assert not code, f"{command}: exit code {code}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_are_not_run_exist(page: Path) -> None:
    for command in [c for c in commands(page) if c.long] + inline_commands(page):
        _checker(command.words[0])(command)


def _checker(word: str) -> Callable[[Command], None]:
    return {"python": _check_python, "make": _check_make, "pip": _check_pip, "genimage": _check_genimage}.get(
        word, lambda command: None
    )


def _check_python(command: Command) -> None:
    words = command.words[1:]
    if words[:2] == ["-m", "genimage_core"]:
        _check_options(words[2:], command)
    elif words[0] == "-m":
        assert importlib.util.find_spec(words[1]), f"{command}: no such module"
    else:
        assert (ROOT / words[0]).is_file(), f"{command}: no such file"


def _check_genimage(command: Command) -> None:
    _check_options(command.words[1:], command)


def _check_options(words: list[str], command: Command) -> None:
    group = typer.main.get_command(cli.app)
    known = getattr(group, "commands")  # noqa: B009 (typer's type has it, its stub does not)
    if words[0].startswith("..."):
        return
    if words[0] == "dev":
        known, words = known["dev"].commands, words[1:]
    assert words[0] in known, f"{command}: no such command"
    options = {
        name for parameter in known[words[0]].params for name in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = {word.split("=")[0] for word in words if word.startswith("--")} - options - {"--help"}
    assert not unknown, f"{command}: no option {', '.join(sorted(unknown))}"


def _check_make(command: Command) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command.words[1] in targets, f"{command}: no such target"


def _check_pip(command: Command) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in command.words:
        if found := re.fullmatch(r"\.\[(.+)\]", word):
            assert set(found.group(1).split(",")) <= set(extras), f"{command}: no such extra"
        if word.startswith("requirements"):
            assert (ROOT / word).is_file(), f"{command}: no such file"


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_the_python_shown_runs(page: str, workplace: Path) -> None:
    shown = [b.text for b in blocks(ROOT / page) if b.language == "python" and "URL)" not in b.text]
    assert shown
    for text in shown:
        exec(compile(text, page, "exec"), {"__name__": "shown"})


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_is_linked_from_the_tour_or_the_readme() -> None:
    linked = (ROOT / "README.md").read_text() + (ROOT / "docs" / "index.md").read_text()
    missing = [page.name for page in PAGES[1:] if page.name not in linked]
    assert not missing
