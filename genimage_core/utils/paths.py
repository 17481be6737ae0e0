"""Where files lie: those that come with the project, and those that it keeps for later."""

from __future__ import annotations

import hashlib
from pathlib import Path

from genimage_core.utils.settings import own_cache

_PACKAGE = Path(__file__).resolve().parents[1]


def asset(*parts: str) -> Path:
    """Return the path of a bundled file or folder; whether it exists is the caller's to check.

    An installed package carries `assets` inside itself, a checkout has it beside the package.

    Args:
        parts: below `assets`, such as `"weights", "manifest.json"`.
    """
    inside = _PACKAGE / "assets"
    root = inside if inside.is_dir() else _PACKAGE.parent / "assets"
    return root.joinpath(*parts)


def cache_folder() -> Path:
    """Where things that can be made again are kept: `GENIMAGE_CACHE`, or the user's cache folder."""
    if own := own_cache():
        return own
    from platformdirs import user_cache_path

    return user_cache_path("genimage-lab", appauthor=False)


def printable(path: object) -> str:
    """A path as text that every file format and terminal can hold.

    Args:
        path: a path or its text; bytes of a name that are no UTF-8 come out as `\\xNN`.
    """
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def safe_name(name: str, longest: int = 200) -> str:
    """A file name that can be made everywhere, from one that came from anywhere.

    Args:
        name: a file's name, without folders.
        longest: most bytes; a longer name keeps its start and its ending, with a short hash between.
    """
    clean = "".join("_" if c in '<>:"/\\|?*' or not c.isprintable() else c for c in printable(name))
    data = clean.encode()
    if len(data) <= longest:
        return clean
    digest = hashlib.sha256(data).hexdigest()[:12]
    stem, dot, ending = clean.rpartition(".")
    ending = dot + ending if dot and len(ending) <= 8 else ""
    start = (stem if ending else clean).encode()[: longest - len(ending.encode()) - 13]
    return f"{start.decode('utf-8', 'ignore')}-{digest}{ending}"
