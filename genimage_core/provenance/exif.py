"""EXIF: camera, software, dates, and what generators leave in its text fields.

Tag numbers: CIPA DC-008 (Exif 2.32). Any of it can be written by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from genimage_core.provenance.model import GENERATOR, UNREADABLE, Finding, finding
from genimage_core.provenance.tool_texts import read_tool_texts
from genimage_core.provenance.vocabulary import generator_name

_DESCRIPTION, _MAKE, _MODEL, _SOFTWARE, _CHANGED, _ARTIST = 270, 271, 272, 305, 306, 315
_EXIF_IFD, _CAPTURED, _USER_COMMENT = 34665, 36867, 37510
_ENCODINGS = {b"ASCII\0\0\0": "utf-8", b"\0" * 8: "utf-8", b"JIS\0\0\0\0\0": "iso2022_jp"}


def read_exif(block: bytes) -> list[Finding]:
    """Read an EXIF block.

    Args:
        block: the TIFF structure, without the `Exif` prefix; b"" for none.
    """
    if not block:
        return []
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + block)
        main, detail = dict(exif), dict(exif.get_ifd(_EXIF_IFD))
    except Exception as error:  # EXIF is written by everyone and often broken
        return [finding("exif", UNREADABLE, f"the EXIF block is damaged ({type(error).__name__})")]
    texts = _generator_texts(main, detail)
    found = read_tool_texts(texts, "exif")
    for tag, claim in ((_SOFTWARE, "software"), (_ARTIST, "artist")):
        if words := _text(main, tag):
            tool = generator_name(words)
            found.append(
                finding("exif", GENERATOR if tool else claim, words, ai=bool(tool) or None, tool=tool)
            )
    make, model = (_text(main, tag) for tag in (_MAKE, _MODEL))
    if (make or model) and not _is_graph(make) and not _is_graph(model):
        camera = model if model.lower().startswith(make.lower()) else f"{make} {model}"
        found.append(finding("exif", "camera", camera))
    captured, changed = _text(detail, _CAPTURED), _text(main, _CHANGED)
    if captured:
        found.append(finding("exif", "captured", captured))
    if changed and changed != captured:
        found.append(finding("exif", "changed", changed))
    return found


def exif_texts(block: bytes) -> dict[str, str]:
    """The text fields of an EXIF block under the keywords of PNG files; {} where it is damaged or b""."""
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + block)
        return _generator_texts(dict(exif), dict(exif.get_ifd(_EXIF_IFD))) if block else {}
    except Exception:  # EXIF is written by everyone and often broken
        return {}


def _generator_texts(main: Mapping[int, Any], detail: Mapping[int, Any]) -> dict[str, str]:
    """Text fields under the keywords that generators use in PNG files."""
    texts = {"Description": _text(main, _DESCRIPTION), "parameters": _user_comment(detail)}
    # ComfyUI has no text chunks in WebP, and puts `prompt:{…}` and `workflow:{…}` into camera fields.
    for tag in (_MAKE, _MODEL, _DESCRIPTION, _SOFTWARE):
        if _is_graph(words := _text(main, tag)):
            keyword, _, graph = words.partition(":")
            texts[keyword.lower()] = graph
    return {keyword: text for keyword, text in texts.items() if text}


def _is_graph(words: str) -> bool:
    return words[:8].lower().startswith(("prompt:", "workflow")) and "{" in words


def _user_comment(detail: Mapping[int, Any]) -> str:
    value = detail.get(_USER_COMMENT, b"")
    if isinstance(value, str):
        return value.strip("\0 ")
    if not isinstance(value, bytes):
        return ""
    code, body = value[:8], value[8:]
    if code == b"UNICODE\0":
        # The block's byte order should hold, but writers disagree: text in Latin letters shows the real one.
        little = body[1::2].count(0) > body[0::2].count(0)
        encoding = "utf-16-le" if little else "utf-16-be"
    else:
        encoding = _ENCODINGS.get(code, "")
        body = body if encoding else value
    return body.decode(encoding or "utf-8", errors="replace").strip("\0\ufeff ")


def _text(tags: Mapping[int, Any], tag: int) -> str:
    value = tags.get(tag, "")
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    return value.strip("\0 \n") if isinstance(value, str) else ""
