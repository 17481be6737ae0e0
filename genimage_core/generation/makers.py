"""What makes images: a common shape for pipelines, programs and folders, and what is wrong with an image."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genimage_core.generation.plan import Shot
from genimage_core.images.load import load_image
from genimage_core.utils.errors import GenerationError, ImageReadError

LONGEST = 3600.0
"""Seconds that a program may take for one image."""
SPREAD = 8
"""A picture none of whose channels spans more grey levels than this shows nothing."""


@dataclass(frozen=True)
class Facts:
    """What made an image, as far as it is the same for all of a run.

    Attributes:
        device: `cpu`, or the GPU's name; "" for pictures that exist.
        versions: of the packages, such as "diffusers 0.42.1, torch 2.13.0".
        scheduler: its class's name.
    """

    device: str = ""
    versions: str = ""
    scheduler: str = ""


class Maker(Protocol):
    """Turns shots into image files."""

    facts: Facts

    def make(self, shots: Sequence[Shot]) -> list[bytes | str]:
        """Make one file for each shot: its bytes, or in words why there is none.

        Raises:
            GenerationError: no image can be made at all.
        """
        ...


@dataclass(frozen=True)
class Checked:
    """A file that is an image, and its size."""

    suffix: str
    width: int
    height: int


_SUFFIXES = {
    "PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "GIF": ".gif", "TIFF": ".tif",
    "BMP": ".bmp",
}  # fmt: skip


def check_image(data: bytes, least_side: int = 0) -> Checked | str:
    """Look at a file before it joins a data set.

    Args:
        data: the whole file.
        least_side: px that either side must have.

    Returns:
        Its facts, or in words why it cannot be used: no image, damaged, of one colour, too small.
    """
    try:
        image = load_image(data)
    except ImageReadError as error:
        return error.message
    low, high = image.pixels.min(axis=(0, 1)).astype(int), image.pixels.max(axis=(0, 1)).astype(int)
    if (high - low).max() < SPREAD:
        return "the picture is black" if high.max() < SPREAD else "the picture is of one colour"
    height, width = image.pixels.shape[:2]
    if min(height, width) < least_side:
        return f"{width} x {height} px; {least_side} on either side are needed"
    return Checked(_SUFFIXES.get(image.facts.format, f".{image.facts.format.lower()}"), width, height)


class Program:
    """Calls a program of the user's for each image.

    Args:
        command: with `{prompt}` and `{path}`, and perhaps `{seed}`, `{size}`, `{class}`; no shell reads it.
        size: what `{size}` stands for.

    Raises:
        GenerationError: the command names no prompt or path, or cannot be split into words.
    """

    facts = Facts()

    def __init__(self, command: str, size: int | None) -> None:
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise GenerationError(f"this command cannot be read ({error}).", source=command) from None
        if not all(any(mark in word for word in self.words) for mark in ("{prompt}", "{path}")):
            raise GenerationError(
                "the command must say where prompt and path go.",
                hint='Such as --command "my-program --text {prompt} --out {path} --seed {seed}".',
                source=command or "(empty)",
            )
        self.size = size

    def make(self, shots: Sequence[Shot]) -> list[bytes | str]:
        """Call the program once for each shot."""
        return [self._one(shot) for shot in shots]

    def _one(self, shot: Shot) -> bytes | str:
        with tempfile.TemporaryDirectory(prefix="genimage-") as folder:
            path = Path(folder) / "image.png"
            marks = {
                "{path}": str(path), "{seed}": str(shot.seed), "{size}": str(self.size or ""),
                "{class}": shot.class_name, "{prompt}": shot.prompt,
            }  # fmt: skip
            words = [_fill(word, marks) for word in self.words]
            try:
                # In a session of its own: Ctrl-C is for this run, which lets the program end its image.
                done = subprocess.run(
                    words, capture_output=True, text=True, errors="replace", timeout=LONGEST,
                    stdin=subprocess.DEVNULL, start_new_session=os.name == "posix",
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return f"the program did not end within {LONGEST:.0f} s"
            except OSError as error:
                raise GenerationError(
                    f"this program cannot be started ({error.strerror}).",
                    hint="Check its name and that it may be run.",
                    source=words[0],
                ) from None
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                return f"the program ended with code {done.returncode}: {last[:200]}"
            return path.read_bytes() if path.is_file() else "the program wrote no file"


class Pictures:
    """Hands on the files of a folder as they are.

    Args:
        folder: what `Shot.source` is below.
    """

    facts = Facts()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, shots: Sequence[Shot]) -> list[bytes | str]:
        """Read the file of each shot."""
        return [self._one(self.folder / shot.source) for shot in shots]

    def _one(self, path: Path) -> bytes | str:
        try:
            return path.read_bytes()
        except OSError as error:
            return f"{path.name} cannot be read ({error.strerror})"


def _fill(word: str, marks: dict[str, str]) -> str:
    """Replace marks in one pass: a mark within a prompt is the prompt's own."""
    return re.sub("|".join(map(re.escape, marks)), lambda match: marks[match[0]], word)
