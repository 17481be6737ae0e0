"""Where this runs: on its user's own machine, or in public."""

from __future__ import annotations

import os


def is_public() -> bool:
    """Return whether strangers use this server: then no folder of it is shown, written or loaded for them.

    `GENIMAGE_PUBLIC` (1 or 0) decides; without it, a Space of Hugging Face is public and nothing else.
    """
    said = os.environ.get("GENIMAGE_PUBLIC", "")
    return said not in ("0", "false", "no") if said else bool(os.environ.get("SPACE_ID"))
