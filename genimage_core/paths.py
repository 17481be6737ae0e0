"""Where the files that come with the project lie: tables, weights, measured results, samples."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset(*parts: str) -> Path:
    """Return the path of a bundled file or folder; whether it exists is the caller's to check.

    An installed package carries `assets` inside itself, a checkout has it beside the package.

    Args:
        parts: below `assets`, such as `"weights", "manifest.json"`.
    """
    inside = _PACKAGE / "assets"
    root = inside if inside.is_dir() else _PACKAGE.parent / "assets"
    return root.joinpath(*parts)
