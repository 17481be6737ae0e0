"""Where files lie: those that come with the project, and those that it keeps for later."""

from __future__ import annotations

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
