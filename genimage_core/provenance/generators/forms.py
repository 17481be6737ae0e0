"""Ways to recognise a generator's own text, from which its entry in the register is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from genimage_core.provenance.generators.texts import Text, Texts

Form = Callable[[Text, Texts], str | None]
"""Given a text and all the file's texts: what it tells, in words, or None where it isn't this generator's."""

_MODEL_KEYS = (
    "model", "model_weights", "base_model", "base_model_name", "ckpt_name", "unet_name",
    "use_stable_diffusion_model",
)  # fmt: skip
PARAMETERS = "generation parameters"


def json_with(*keys: str, where: Mapping[str, str] | None = None) -> Form:
    """A JSON object that has all these keys, in any field.

    Args:
        keys: the keys.
        where: pattern by key, which the value must match from its start.
    """
    patterns = {key: re.compile(pattern, re.IGNORECASE) for key, pattern in (where or {}).items()}

    def form(text: Text, texts: Texts) -> str | None:
        for value in text.objects:
            if set(keys) <= set(value) and all(p.match(str(value.get(k, ""))) for k, p in patterns.items()):
                return model_of(value)
        return None

    return form


def json_in(*fields: str) -> Form:
    """Any JSON object that is not empty, in fields that nobody else uses.

    Args:
        fields: keywords in lower case.
    """
    return lambda text, texts: model_of(text.object) if text.field in fields and text.object else None


def pattern_in(pattern: str, *fields: str) -> Form:
    """A text that matches a pattern.

    Args:
        pattern: a regular expression, sought anywhere in the text.
        fields: keywords in lower case; any field by default.
    """
    compiled = re.compile(pattern)

    def form(text: Text, texts: Texts) -> str | None:
        matched = compiled.search(text.words) if not fields or text.field in fields else None
        return (matched[0] if matched[0] and len(matched[0]) < 120 else PARAMETERS) if matched else None

    return form


def chunks_with(first: str, *others: str) -> Form:
    """Settings that stand in one field each.

    Args:
        first: the field that tells of the generator, in lower case.
        others: fields of which at least two must stand beside it.
    """

    def form(text: Text, texts: Texts) -> str | None:
        beside = texts.fields(text.kind) & set(others)
        return f"model {text.words}" if text.field == first and len(beside) >= 2 else None

    return form


def any_of(*forms: Form) -> Form:
    """The first form that recognises the text."""
    return lambda text, texts: next((told for form in forms if (told := form(text, texts)) is not None), None)


def model_of(value: Mapping[str, Any], keys: Collection[str] = _MODEL_KEYS) -> str:
    """Name the model that an object tells of.

    Args:
        value: a generator's settings; the model may stand one level down.
        keys: keys that name a model.
    """
    for level in (value, *(inner for inner in value.values() if isinstance(inner, dict))):
        for key in keys:
            model = level.get(key)
            if isinstance(model, dict):
                model = model.get("name") or model.get("model_name")
            if isinstance(model, str) and model:
                return f"model {model}"
    return PARAMETERS
