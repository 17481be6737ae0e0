"""The installed package: its public calls, its command, its files, and what importing it costs."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import genimage_core

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Change it on purpose only: others' code calls these.
SURFACE = {
    "audit": ["root", "protocols", "split", "limit", "seed", "command", "progress"],
    "degrade": ["image", "how"],
    "detect": ["image", "detectors", "degrade", "preprocessing", "weights", "device", "prior"],
    "evaluate": ["data", "out", "options"],
    "load_detector": ["name", "weights", "device", "runtime"],
}


def test_the_public_calls_are_these_and_take_these_arguments() -> None:
    assert sorted(genimage_core.__all__) == sorted(SURFACE)
    found = {name: list(inspect.signature(getattr(genimage_core, name)).parameters) for name in SURFACE}
    assert found == SURFACE
    assert set(SURFACE) <= set(dir(genimage_core))


def test_every_public_call_says_what_it_takes_and_gives() -> None:
    for name in SURFACE:
        text = inspect.getdoc(getattr(genimage_core, name)) or ""
        assert "Args:" in text, name
        assert "Raises:" in text, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        genimage_core.nonsense  # noqa: B018


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, genimage_core\n"
        "heavy = {'torch', 'numpy', 'cv2', 'pandas', 'timm', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def _requirements(path: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {_normal(line) for line in lines if line and not line.startswith("-")}


def _normal(requirement: str) -> str:
    return re.sub(r"[\s_]", lambda m: "-" if m.group() == "_" else "", requirement).lower()


def test_pyproject_and_requirements_ask_for_the_same() -> None:
    extras = PROJECT["optional-dependencies"]
    installed = {_normal(r) for r in PROJECT["dependencies"] + extras["app"] + extras["explain"]}
    wanted = _requirements(ROOT / "requirements.txt")
    assert wanted <= installed, f"add to pyproject.toml: {sorted(wanted - installed)}"
    core = {_normal(r) for r in PROJECT["dependencies"] + extras["app"]}
    assert core <= wanted, f"add to requirements.txt: {sorted(core - wanted)}"


def test_the_version_is_one() -> None:
    assert PROJECT["version"] == genimage_core.__version__


def test_one_function_finds_the_bundled_files() -> None:
    """Any other way would miss them in an installed package."""
    for path in [*(ROOT / "genimage_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        if path.name != "paths.py":
            found = re.search(r"(parents?\b.*|ROOT) / \"assets\"", path.read_text(encoding="utf-8"))
            assert not found, f"{path.name}: use genimage_core.utils.paths.asset"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project built as a wheel and installed in a folder of its own; without weights, for speed."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "genimage_core", source / "genimage_core", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "assets" / "published", source / "assets" / "published")
    (source / "assets" / "weights").mkdir()
    shutil.copy(ROOT / "assets" / "weights" / "combination.json", source / "assets" / "weights")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--no-build-isolation", "--target", str(target), str(source)], check=True)
    return target


def _genimage(installed: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    environment.pop("GENIMAGE_DETECTORS", None)
    command = [sys.executable, str(installed / "bin" / "genimage"), *arguments]
    done = subprocess.run(command, env=environment, cwd=installed, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_command_genimage_finds_the_files_that_came_with_it(installed: Path) -> None:
    listed = json.loads(_genimage(installed, "tables", "--json"))
    assert {"task1_sd14", "resnet50_matrix"} <= {table["id"] for table in listed}
    rows = json.loads(_genimage(installed, "tables", "task1_sd14", "--json"))["rows"]
    assert len(rows) == 7


def test_the_wheel_holds_cards_and_templates(installed: Path) -> None:
    package = installed / "genimage_core"
    assert (package / "assets" / "weights" / "combination.json").is_file()
    for card in (ROOT / "genimage_core").rglob("*.md"):
        assert (package / card.relative_to(ROOT / "genimage_core")).is_file(), card.name
