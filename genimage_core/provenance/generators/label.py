"""The AIGC label of the Chinese standard GB 45438-2025: JSON with `Label` and its producer."""

from __future__ import annotations

from collections.abc import Iterator

from genimage_core.provenance.generators.texts import Text
from genimage_core.provenance.model import Finding, finding

_LABELS = {"1": "made by AI", "2": "possibly made by AI", "3": "suspected to be made by AI"}
_COMPANIONS = {"ContentProducer", "ProduceID", "ContentPropagator", "PropagateID"}


def read_label(text: Text) -> Iterator[Finding]:
    """Read the label from a field called AIGC, or from an object of that name.

    Args:
        text: a text field.
    """
    for value in text.objects:
        inner = value.get("AIGC")
        data = inner if isinstance(inner, dict) else value
        if text.field != "aigc" and data is value and not _COMPANIONS & set(value):
            continue
        label = str(data.get("Label", ""))
        if label in _LABELS:
            producer = str(data.get("ContentProducer", ""))
            words = f"{_LABELS[label]}{f', producer {producer}' if producer else ''}"
            yield finding(text.kind, "AIGC label", words, ai=True if label == "1" else None)
            return
