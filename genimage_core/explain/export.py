"""Evidence as files: a PNG for each picture, one JSON for all words and figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from genimage_core.explain.evidence import Evidence
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.paths import safe_name

INDEX = "evidence.json"


def write_evidence(folder: Path, found: Iterable[tuple[str, Evidence | GenImageError]]) -> Path:
    """Write what `explain_all` yields, each kind as soon as it is there.

    `FOLDER/<kind>-<picture>.png`, and `FOLDER/evidence.json`: {"evidence": [words, data, files], "left_out":
    [kind, error, hint]}.

    Returns:
        The path of the JSON file.

    Raises:
        GenImageError: the folder cannot be written to.
    """
    entries, left_out = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, item in found:
            if isinstance(item, GenImageError):
                left_out.append({"kind": kind, "error": item.message, "hint": item.hint})
                continue
            files = {key: _file_name(kind, key) for key in item.images}
            for key, picture in item.images.items():
                Image.fromarray(picture).save(folder / files[key])
            entries.append({**item.as_dict(), "files": files})
        index = folder / INDEX
        content = {"evidence": entries, "left_out": left_out}
        index.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise GenImageError(
            f"the evidence cannot be written ({error.strerror}).",
            hint="Name a folder that can be written to.",
            source=str(folder),
        ) from None
    return index


def _file_name(kind: str, key: str) -> str:
    """`tile_map`, `resnet50` -> `tile_map-resnet50.png`."""
    tail = "" if key == kind else "-" + re.sub(r"[^\w]+", "-", key)
    return f"{kind}{tail}.png"


def folder_names(files: Iterable[Path]) -> list[str]:
    """A folder name of its own for each image: its file name, with a number where it comes twice."""
    names: list[str] = []
    taken: set[str] = set()
    for path in files:
        stem, number = safe_name(path.name), 2
        name = stem
        while name.lower() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return names
