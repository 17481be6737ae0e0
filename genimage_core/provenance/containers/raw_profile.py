"""ImageMagick's raw profiles: EXIF, XMP and IPTC as hexadecimal digits in a PNG text chunk.

Form: keyword `Raw profile type NAME`, text `\\nNAME\\n  LENGTH\\n` and the digits (ImageMagick, coders/png.c;
ExifTool's PNG module reads the same). mflux writes the digits of an IPTC block alone, under `IPTC`.
"""

from __future__ import annotations

from genimage_core.provenance.containers.raw import Raw

_PREFIX = "raw profile type "
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"


def read_profile(keyword: str, text: bytes, raw: Raw) -> bool:
    """Read a chunk that holds a raw profile; say whether it was one.

    Args:
        keyword: the chunk's keyword.
        text: its text.
        raw: where the profile goes.
    """
    name = keyword.strip().lower().removeprefix(_PREFIX)
    bare = keyword == "IPTC"
    if not bare and not keyword.lower().startswith(_PREFIX):
        return False
    digits = text if bare else b"".join(text.split()[2:])
    try:
        profile = bytes.fromhex(b"".join(digits.split()).decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        raw.broken.append(f"{keyword}: no hexadecimal digits")
        return True
    if profile.startswith(_XMP_MARK):
        raw.xmp.append(profile.removeprefix(_XMP_MARK))
    elif name in ("exif", "app1"):
        raw.exif.append(profile)
    elif name == "xmp":
        raw.xmp.append(profile)
    elif name in ("iptc", "8bim"):
        raw.iptc.append(photoshop_iptc(profile))
    return True


def photoshop_iptc(block: bytes) -> bytes:
    """Find the IPTC block (resource 0x0404) among Photoshop's image resources.

    Each resource is `8BIM`, number, name (Pascal string), size, data; the last three padded to even lengths.
    A bare IPTC block is returned as it is.
    Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks".
    """
    position = 0
    while block[position : position + 4] == b"8BIM":
        number = int.from_bytes(block[position + 4 : position + 6])
        position += 6
        position += (block[position] if position < len(block) else 0) // 2 * 2 + 2
        size = int.from_bytes(block[position : position + 4])
        body = block[position + 4 : position + 4 + size]
        if number == 0x0404:
            return body
        position += 4 + size + size % 2
    return block if block[:1] == b"\x1c" else b""
