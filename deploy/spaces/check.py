"""Checks of a Space before it is pushed: front matter, sizes, LFS, ports, and no downloads at start."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from packaging.requirements import Requirement
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MAX_PLAIN_BYTES = 10_000_000
"""The hub takes larger files through LFS only."""
MAX_BYTES = 1_000_000_000
_BINARY = (".safetensors", ".onnx", ".png", ".jpg", ".jpeg", ".webp", ".parquet", ".bin", ".pt")
# Calls that fetch something from elsewhere; the product's own hub module does so only when it is asked to.
_FETCHES = re.compile(
    r"pretrained=True|load_state_dict_from_url|hf_hub_download\(|urlretrieve\(|urlopen\(|requests\.get\("
)
Colour = Literal["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]


class FrontMatter(BaseModel):
    """What a Space's README says to the hub."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=60)]
    emoji: Annotated[str, Field(min_length=1, max_length=4)]
    colorFrom: Colour  # noqa: N815 (the hub's names)
    colorTo: Colour  # noqa: N815
    sdk: Literal["docker", "gradio"]
    app_port: int | None = None
    sdk_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] | None = None
    python_version: Annotated[str, Field(pattern=r"^3\.1[12]$")] | None = None
    app_file: str | None = None
    pinned: bool = False
    license: Literal["apache-2.0"]
    short_description: Annotated[str, Field(max_length=60)]
    suggested_hardware: Literal["cpu-basic", "zero-a10g"] | None = None

    @model_validator(mode="after")
    def _complete(self) -> FrontMatter:
        needed = ("app_port",) if self.sdk == "docker" else ("app_file", "sdk_version", "python_version")
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise ValueError(f"sdk {self.sdk} needs {', '.join(missing)}")
        return self


def front_matter(folder: Path) -> FrontMatter:
    """The front matter of a Space's README.

    Raises:
        ValueError: there is none, or it is not what the hub takes.
    """
    parts = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    if len(parts) < 3 or parts[0]:
        raise ValueError("README.md does not start with front matter")
    return FrontMatter.model_validate(yaml.safe_load(parts[1]))


def check_space(folder: Path) -> list[str]:
    """What is wrong with a Space's folder, one sentence each; empty where it can be pushed."""
    try:
        facts = front_matter(folder)
    except (OSError, ValueError, ValidationError) as error:
        return [f"README.md: {error}"]
    found = _sizes(folder) + _fetches(folder)
    return found + (_docker(folder, facts) if facts.sdk == "docker" else _gradio(folder, facts))


def _sizes(folder: Path) -> list[str]:
    lines = (folder / ".gitattributes").read_text().splitlines()
    patterns = [line.split()[0] for line in lines if "filter=lfs" in line]
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = []
    for path in files:
        lfs = any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)
        if not lfs and (path.stat().st_size > MAX_PLAIN_BYTES or path.suffix in _BINARY):
            found.append(f"{path.relative_to(folder)}: large or binary, but not in .gitattributes")
    total = sum(path.stat().st_size for path in files)
    if total > MAX_BYTES:
        found.append(f"{total / 1e6:.0f} MB in all, more than {MAX_BYTES / 1e6:.0f}")
    return found


def _fetches(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        if path.relative_to(folder).as_posix().startswith("deploy/"):
            continue
        found += [
            f"{path.relative_to(folder)}: fetches something ({match})"
            for match in _FETCHES.findall(path.read_text(encoding="utf-8"))
        ]
    manifest = json.loads((folder / "assets" / "weights" / "manifest.json").read_text())
    for name, entry in manifest["detectors"].items():
        for file in entry["files"]:
            if not (folder / "assets" / "weights" / file["path"]).is_file():
                found.append(f"{name}: its weights {file['path']} are not in the folder")
    return found


def _docker(folder: Path, facts: FrontMatter) -> list[str]:
    text = (folder / "Dockerfile").read_text()
    found = []
    if f"--server.port={facts.app_port}" not in text or f"EXPOSE {facts.app_port}" not in text:
        found.append(f"Dockerfile: does not serve port {facts.app_port}")
    if "--uid 1000" not in text or "USER user" not in text:
        found.append("Dockerfile: does not run as user 1000")
    if "HF_HUB_OFFLINE=1" not in text:
        found.append("Dockerfile: the start is not held offline")
    return found


def _gradio(folder: Path, facts: FrontMatter) -> list[str]:
    found = [] if (folder / str(facts.app_file)).is_file() else [f"{facts.app_file}: missing"]
    wanted = [Requirement(line) for line in (folder / "requirements.txt").read_text().split("\n") if line]
    gradio = [r for r in wanted if r.name == "gradio"]
    if not gradio or str(facts.sdk_version) not in gradio[0].specifier:
        found.append(f"requirements.txt: does not allow gradio {facts.sdk_version}")
    return found
