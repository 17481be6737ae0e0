"""What each Space holds, and the folder that is ready to push."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.part", ".*")
_COMMON = ("genimage_core", "assets", "LICENSE")
_PREPARE = ("deploy/__init__.py", "deploy/prepare.py")


@dataclass(frozen=True)
class Space:
    """A kind of Space.

    Attributes:
        name: also of its folder in `deploy`.
        paths: files and folders of the repository that it needs.
        extra: of pyproject.toml, whose requirements join the core's; None: requirements.txt as it is.
    """

    name: str
    paths: tuple[str, ...]
    extra: str | None


SPACES = {
    "streamlit": Space(
        "streamlit",
        ("app.py", "pages", ".streamlit", "requirements.txt", *_COMMON, *_PREPARE),
        None,
    ),
    "gradio": Space("gradio", ("gradio_app.py", "gradio_demo", *_COMMON), "gradio"),
}


def lay_out(space: Space, out: Path, root: Path = ROOT) -> Path:
    """Write a Space's folder anew.

    Args:
        space: which.
        out: its folder is `out/space-NAME`; one that is there is replaced.
        root: of the repository.

    Returns:
        The folder.
    """
    folder = out / f"space-{space.name}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for path in space.paths:
        source, target = root / path, folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_LEFT_OUT)
        else:
            shutil.copy(source, target)
    for source in sorted((root / "deploy" / space.name).iterdir()):
        shutil.copy(source, folder / source.name)
    shutil.copy(root / "deploy" / "gitattributes", folder / ".gitattributes")
    if space.extra:
        (folder / "requirements.txt").write_text("\n".join(requirements(space.extra, root)) + "\n")
    return folder


def requirements(extra: str, root: Path = ROOT) -> list[str]:
    """The core's requirements and those of an extra, from pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"][extra]]
