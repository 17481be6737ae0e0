"""Versions of what a result depends on, for manifests."""

from __future__ import annotations

import platform
from importlib import metadata

__version__ = "0.1.0"

PACKAGES = ("torch", "timm", "numpy", "pillow", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Name -> version of Python, this project and the packages that results depend on."""
    found = {"python": platform.python_version(), "genimage_core": __version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
