"""Every setting that comes from the environment.

GENIMAGE_CACHE: folder for what can be made again. GENIMAGE_DETECTORS: folder of detector configs.
GENIMAGE_TRUST_LIST: file of root certificates. GENIMAGE_PORTABLE: 1 while an image is built that runs on
other machines. GENIMAGE_PUBLIC: 1 where strangers use the server, 0 where not. GENIMAGE_DEMO_DETECTORS: which
detectors the Gradio demo asks.
"""

from __future__ import annotations

import os
from pathlib import Path

CACHE = "GENIMAGE_CACHE"
DETECTORS = "GENIMAGE_DETECTORS"
TRUST_LIST = "GENIMAGE_TRUST_LIST"


def is_public() -> bool:
    """Return whether strangers use this server: then no folder of it is shown, written or loaded for them.

    GENIMAGE_PUBLIC decides; without it, a Space of Hugging Face is public and nothing else.
    """
    said = os.environ.get("GENIMAGE_PUBLIC", "")
    return said not in ("0", "false", "no") if said else bool(os.environ.get("SPACE_ID"))


def own_cache() -> Path | None:
    """The cache folder that the user named, if any."""
    named = os.environ.get(CACHE)
    return Path(named) if named else None


def detector_configs() -> Path:
    """Where detector configs are looked for; the folder need not exist."""
    return Path(os.environ.get(DETECTORS) or "my_detectors")


def trust_list() -> Path | None:
    """The file of root certificates that the operator named, if any."""
    named = os.environ.get(TRUST_LIST)
    return Path(named) if named else None


def builds_for_others() -> bool:
    """Whether exported networks are kept for other processors, too."""
    return os.environ.get("GENIMAGE_PORTABLE") == "1"


def demo_detectors() -> str:
    """Which detectors the Gradio demo asks: names separated by commas, or `all` with weights."""
    return os.environ.get("GENIMAGE_DEMO_DETECTORS", "all")
