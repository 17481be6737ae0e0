"""EXIF: camera, exposure, dates, and the text fields in which generators leave their mark.

Tag numbers: CIPA DC-008 (Exif 2.32); Windows' XP tags. Any of it can be written by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from genimage_core.provenance.exif_text import text_of, user_comment, xp_text
from genimage_core.provenance.generators import maker_name
from genimage_core.provenance.model import CAMERA, EXPOSURE, UNREADABLE, Finding, Kind, finding

_MAKE, _MODEL, _CHANGED = 271, 272, 306
_EXIF_IFD, _CAPTURED, _USER_COMMENT, _MAKER_NOTE = 34665, 36867, 37510, 37500
_EXPOSURE_TIME, _F_NUMBER, _ISO = 33434, 33437, 34855
_TEXTS = {
    270: "imagedescription", _MAKE: "make", _MODEL: "model", 305: "software", 315: "artist",
    33432: "copyright",
}  # fmt: skip
_XP_TEXTS = {40091: "xptitle", 40092: "xpcomment", 40093: "xpauthor", 40094: "xpkeywords", 40095: "xpsubject"}

Texts = list[tuple[Kind, str, str]]


def read_exif(block: bytes) -> tuple[list[Finding], Texts]:
    """Read an EXIF block.

    Args:
        block: the TIFF structure, without the `Exif` prefix.

    Returns:
        (facts, text fields).
    """
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + block)
        main, detail = dict(exif), dict(exif.get_ifd(_EXIF_IFD))
    except Exception as error:  # EXIF is written by everyone and often broken
        return [finding("exif", UNREADABLE, f"the EXIF block is damaged ({type(error).__name__})")], []
    return _facts(main, detail), _texts(main, detail)


def _texts(main: Mapping[int, Any], detail: Mapping[int, Any]) -> Texts:
    texts: dict[str, str] = {field: text_of(main.get(tag)) for tag, field in _TEXTS.items()}
    texts |= {field: xp_text(main.get(tag)) for tag, field in _XP_TEXTS.items()}
    # Some writers put the comment into the main directory.
    texts["usercomment"] = user_comment(detail.get(_USER_COMMENT) or main.get(_USER_COMMENT))
    note = detail.get(_MAKER_NOTE)
    if isinstance(note, bytes) and note[:20].lstrip().startswith(b"{"):
        texts["makernote"] = text_of(note)
    return [("exif", field, words) for field, words in texts.items() if words]


def _facts(main: Mapping[int, Any], detail: Mapping[int, Any]) -> list[Finding]:
    make, model = (text_of(main.get(tag)) for tag in (_MAKE, _MODEL))
    captured, changed = text_of(detail.get(_CAPTURED)), text_of(main.get(_CHANGED))
    facts = [
        (CAMERA, camera_name(make, model)),
        (EXPOSURE, _exposure(detail)),
        ("captured", captured),
        ("changed", changed if changed != captured else ""),
    ]
    return [finding("exif", claim, value) for claim, value in facts if value]


def camera_name(make: str, model: str) -> str:
    """Name the camera of a make and model; "" where they hold a generator's name or its settings instead.

    Args:
        make: the field's text.
        model: the field's text.
    """
    if maker_name(make) or maker_name(model) or "{" in make or "{" in model:
        return ""
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()


def _exposure(detail: Mapping[int, Any]) -> str:
    parts = []
    for tag, form in ((_EXPOSURE_TIME, "{:.3g} s"), (_F_NUMBER, "f/{:.3g}"), (_ISO, "ISO {:.0f}")):
        value: Any = detail.get(tag)
        value = value[0] if isinstance(value, tuple) and value else value
        try:
            number = float(value) if value is not None else 0.0
        except (TypeError, ValueError, ZeroDivisionError):
            continue
        if 0 < number < float("inf"):
            parts.append(form.format(number))
    return ", ".join(parts)
