"""The texts of one file, wherever they stand, with the JSON objects that they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from genimage_core.provenance.model import Kind

# ComfyUI and others put `prompt:{…}` and `workflow:{…}` into fields that have no name of their own for it.
_PREFIX = re.compile(r"\s*[A-Za-z_ -]{1,40}[:=]\s*(?=\{)")
_DEPTH = 3
_MOST_OBJECTS = 200


@dataclass(frozen=True)
class Text:
    """One text field.

    Attributes:
        kind: where it stands.
        field: its keyword or tag, in lower case and without namespace, such as "parameters" or "usercomment".
        words: the text.
    """

    kind: Kind
    field: str
    words: str

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON object that the text is, and the objects inside of it; [] where it is none."""
        text = self.words
        if prefix := _PREFIX.match(text):
            text = text[prefix.end() :]
        return list(_walk(_parsed(text), _DEPTH))[:_MOST_OBJECTS]

    @property
    def object(self) -> dict[str, Any]:
        """The outermost JSON object, {} for none."""
        return self.objects[0] if self.objects else {}


class Texts(list[Text]):
    """All text fields of a file."""

    def get(self, field: str, kind: Kind | None = None) -> str:
        """The first text of a field, "" for none.

        Args:
            field: its keyword in lower case.
            kind: only there; anywhere by default.
        """
        return next((t.words for t in self if t.field == field and kind in (None, t.kind)), "")

    def fields(self, kind: Kind) -> set[str]:
        """The fields that a kind of metadata has.

        Args:
            kind: where they stand.
        """
        return {text.field for text in self if text.kind == kind}


def collect(texts: Iterable[tuple[Kind, str, str]]) -> Texts:
    """Bring (kind, field, text) into one form, and drop the empty ones."""
    return Texts(Text(kind, field.strip().lower(), words) for kind, field, words in texts if words.strip())


def _parsed(text: str) -> dict[str, Any]:
    try:
        # ComfyUI's custom nodes write NaN, which Python's reader takes and JSON forbids.
        value = json.loads(text) if text.lstrip().startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _walk(value: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    if not value:
        return
    yield value
    if depth == 0:
        return
    for inner in list(value.values())[:_MOST_OBJECTS]:
        if isinstance(inner, str):
            inner = _parsed(inner)  # objects are often written as text inside of objects
        if isinstance(inner, dict):
            yield from _walk(inner, depth - 1)
