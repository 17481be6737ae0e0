"""The classes of a data set: ImageNet's thousand, or those of a file; and the prompts that go with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from genimage_core.utils.errors import GenerationError

IMAGENET = "imagenet1k"
_WNID = re.compile(r"n\d{8}$")


@dataclass(frozen=True)
class ImageClass:
    """One class.

    Attributes:
        id: as in file names and the manifest: ImageNet's (`n01440764`), or the name in lower case with `_`.
        name: as in prompts, such as "tench".
    """

    id: str
    name: str


@lru_cache(maxsize=8192)
def slug(text: str) -> str:
    """A text as part of a file name: lower case, letters and digits joined by `_`; "" if nothing is left."""
    return re.sub(r"\W+", "_", text.lower()).strip("_")


def load_classes(source: str) -> list[ImageClass]:
    """Read the classes.

    Args:
        source: `imagenet1k`, or a text file with one class a line: a name, or ImageNet's id and a name.

    Raises:
        GenerationError: no such file, nothing in it, or a class twice.
    """
    if source == IMAGENET:
        return _imagenet()
    lines = [line.strip() for line in read_text(Path(source)).splitlines()]
    classes = [_class_of(line) for line in lines if line and not line.startswith("#")]
    if not classes:
        raise GenerationError("no classes in this file.", hint="Write one name a line.", source=source)
    ids = [one.id for one in classes]
    if twice := sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []:
        raise GenerationError(f"classes named twice: {', '.join(twice[:5])}.", source=source)
    return classes


def load_prompts(path: Path) -> tuple[str, ...]:
    """Read prompt templates, one a line; image `i` of a class takes line `i` modulo their number.

    Raises:
        GenerationError: no such file, or nothing in it.
    """
    prompts = tuple(line.strip() for line in read_text(path).splitlines() if line.strip())
    if not prompts:
        raise GenerationError("no prompts in this file.", hint="Write one a line.", source=str(path))
    return prompts


def fill(template: str, name: str) -> str:
    """Put a class's name into a prompt template; other braces stay as they are."""
    return template.replace("{class}", name)


def class_in(words: Sequence[str], classes: Sequence[ImageClass]) -> ImageClass | None:
    """The one class that a folder's or file's name or a prompt tells; None where none or several do.

    Args:
        words: texts, the most telling first; the first that names a class decides.
        classes: among these.
    """
    for text in words:
        for one in classes:
            if text == one.id or slug(text) == slug(one.name):
                return one
        padded = f"_{slug(text)}_"
        named = [one for one in classes if f"_{slug(one.name)}_" in padded or f"_{one.id}_" in padded]
        # "hammerhead shark" is told from "shark" by being the longer.
        longest = max((len(slug(one.name)) for one in named), default=0)
        best = [one for one in named if len(slug(one.name)) == longest]
        rest = [one for one in named if one not in best and slug(one.name) not in slug(best[0].name)]
        if len(best) == 1 and not rest:
            return best[0]
    return None


def read_text(path: Path) -> str:
    """A text file in UTF-8.

    Raises:
        GenerationError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GenerationError(
            f"this text file cannot be read ({type(error).__name__}).",
            hint="Name a text file in UTF-8.",
            source=str(path),
        ) from None


def _class_of(line: str) -> ImageClass:
    first, *rest = re.split(r"[\s,]+", line, maxsplit=1)
    if _WNID.match(first) and rest:
        return ImageClass(first, rest[0].split(",")[0].strip())
    if not (name := slug(line)):
        raise GenerationError("this class has no letters.", source=line)
    return ImageClass(name, line)


def _imagenet() -> list[ImageClass]:
    """ImageNet's classes in their usual order, each under the first of its names (from timm)."""
    from genimage_core.detectors._timm import timm

    info = timm.data.ImageNetInfo()
    names = (info.index_to_description(i).split(",")[0] for i in range(info.num_classes()))
    return [ImageClass(wnid, name) for wnid, name in zip(info.label_names(), names, strict=True)]
