"""Names that files on disk had before; whoever reads such files takes both.

Runs (plan and rows) and measured tables called a degradation a condition, a data protocol a protocol and a
preprocessing a reading. Exported tables of scores and their manifests, which hold both, called a
preprocessing a protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

RUN = {
    "condition": "degradation",
    "conditions": "degradations",
    "protocol": "data_protocol",
    "reading": "preprocessing",
}
EXPORT = {"condition": "degradation", "protocol": "preprocessing"}
PREPROCESSING = {"native": "tiles", "paper": "resize"}


def of_run(data: Any) -> Any:
    """The fields of a plan or a measured table under today's names; anything else as it is."""
    return _renamed(data, RUN) if isinstance(data, Mapping) else data


def of_export(data: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of exported scores under today's names."""
    return _renamed(data, EXPORT)


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    found = {names.get(key, key) if names.get(key) not in data else key: value for key, value in data.items()}
    if "preprocessing" in found:
        value = found["preprocessing"]
        found["preprocessing"] = PREPROCESSING.get(value, value)
    return found


def of_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """A table of exported scores with today's columns and values."""
    if "preprocessing" not in rows:
        rows = rows.rename(columns=EXPORT)
    if "preprocessing" in rows:
        rows = rows.assign(preprocessing=rows["preprocessing"].replace(PREPROCESSING))
    return rows
