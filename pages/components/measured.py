"""Results measured with this software, to stand beside the published ones.

Each file in assets/measured, and in its folder `sets` for weights that are not bundled, is JSON:
{"title", "description", "command", "rows": [{column: value, ...}]}.
"""

import json
from dataclasses import dataclass

import pandas as pd

from genimage_core.paths import asset

FOLDER = asset("measured")


@dataclass(frozen=True)
class Measured:
    """One measured table."""

    title: str
    description: str
    command: str
    rows: pd.DataFrame


def list_measured() -> list[Measured]:
    """Return the measured tables; files of another shape are passed over."""
    found = []
    for path in [*sorted(FOLDER.glob("*.json")), *sorted(FOLDER.glob("sets/*.json"))]:
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and isinstance(data.get("rows"), list) and data["rows"]:
            found.append(
                Measured(
                    str(data.get("title", path.stem)),
                    str(data.get("description", "")),
                    str(data.get("command", "")),
                    pd.DataFrame(data["rows"]),
                )
            )
    return found
