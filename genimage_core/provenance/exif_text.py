"""Text in EXIF: ASCII by the standard, or a code and its encoding; programs write much else."""

from __future__ import annotations

import re
from typing import Any

_CODE = re.compile(rb"(UNICODE|ASCII|JIS)[\0 ]?", re.IGNORECASE)
_CODE_BYTES = 8


def text_of(value: Any) -> str:
    """Read an ASCII field, which most programs fill with UTF-8.

    Args:
        value: as Pillow gives it: text decoded as Latin-1, or bytes.
    """
    if isinstance(value, str):
        try:
            value = value.encode("latin-1")
        except UnicodeEncodeError:
            return value.strip("\0 \n")
    if not isinstance(value, bytes):
        return ""
    try:
        words = value.decode("utf-8")
    except UnicodeDecodeError:
        words = value.decode("latin-1")
    return words.strip("\0 \n\ufeff")


def xp_text(value: Any) -> str:
    """Read one of Windows' XP fields: UTF-16 little endian.

    Args:
        value: bytes, or a tuple of their numbers.
    """
    if isinstance(value, tuple) and all(isinstance(number, int) for number in value):
        value = bytes(number & 0xFF for number in value)
    return _wide_or_narrow(value, "utf-16-le") if isinstance(value, bytes) else text_of(value)


def user_comment(value: Any) -> str:
    """Read a UserComment: eight bytes that name an encoding, and text that often is in another one.

    The bytes themselves tell: text in Latin letters has every other byte zero in UTF-16, and none in UTF-8.

    Args:
        value: bytes, or text that Pillow decoded as Latin-1.
    """
    if isinstance(value, str):
        try:
            value = value.encode("latin-1")
        except UnicodeEncodeError:
            return value.strip("\0 ")
    if not isinstance(value, bytes):
        return ""
    code = _CODE.match(value)
    if code is None:
        body = value[_CODE_BYTES:] if value[:_CODE_BYTES] == bytes(_CODE_BYTES) else value
        return _wide_or_narrow(body, "utf-8")
    if code[1].upper() == b"UNICODE":
        return _wide_or_narrow(value[code.end() :], "utf-16-be")
    body = value[code.end() :].lstrip(b"\0")
    return _wide_or_narrow(body, "iso2022_jp" if code[1].upper() == b"JIS" else "utf-8")


def _wide_or_narrow(body: bytes, otherwise: str) -> str:
    """Decode UTF-16 of either byte order, or UTF-8; by `otherwise` where the bytes do not tell."""
    even, odd = body[0::2].count(0), body[1::2].count(0)
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif abs(even - odd) > len(body) / 20:
        encoding = "utf-16-le" if odd > even else "utf-16-be"
    else:
        encoding = otherwise
        if not body.rstrip(b"\0").count(0):
            try:
                return body.decode("utf-8").strip("\0\ufeff ")
            except UnicodeDecodeError:
                pass
    body += bytes(
        len(body) % 2 if encoding.startswith("utf-16") else 0
    )  # one byte of padding in front shifts it
    return body.decode(encoding, errors="replace").strip("\0\ufeff\ufffd ")
