"""Which detectors run in 8 bits on a CPU: measured by `dev choose-precision`, kept in assets/runtime.json."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genimage_core.utils.paths import asset

if TYPE_CHECKING:
    from genimage_core.detectors.onnx.detector import Precision

PATH = asset("runtime.json")


@cache
def read_choices(path: Path = PATH) -> dict[str, Any]:
    """The measured table; empty where it is missing or damaged: then everything runs in float32."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def chosen_precision(name: str, weights_id: str) -> Precision:
    """What a detector's network runs in; float32 unless just these weights were measured."""
    entry = read_choices().get("detectors", {}).get(name, {})
    if entry.get("weights") != weights_id:
        return "fp32"
    precision: Precision = entry.get("precision", "fp32")
    return precision if precision in ("fp32", "int8", "int8_dynamic") else "fp32"
