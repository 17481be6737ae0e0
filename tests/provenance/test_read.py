"""What files say of themselves: every kind of source is written here and read back."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from genimage_core.provenance import Provenance, read_provenance
from tests.helpers.image_files import KINDS, encoded, picture
from tests.helpers.provenance_files import (
    A1111,
    COMFY,
    GRAPH,
    MIDJOURNEY,
    NOVEL,
    TYPES,
    exif,
    png,
    says,
    with_xmp,
    xmp,
)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("texts", "tool", "detail"),
    [
        ({"parameters": A1111}, "Stable Diffusion web UI", "dreamer_v8"),
        ({"prompt": COMFY}, "ComfyUI", "sdxl.safetensors"),
        ({"workflow": GRAPH}, "ComfyUI", "workflow"),
        ({"parameters": json.dumps({"sui_image_params": {"model": "flux"}})}, "SwarmUI", "flux"),
        (
            {"Software": "NovelAI", "Source": "NAI Diffusion 3", "Comment": NOVEL},
            "NovelAI",
            "NAI Diffusion 3",
        ),
        ({"Comment": NOVEL}, "NovelAI", "parameters"),
        ({"invokeai_metadata": json.dumps({"model": {"name": "juggernaut"}})}, "InvokeAI", "juggernaut"),
        ({"sd__metadata": json.dumps({"model_weights": "sd-1.5"})}, "InvokeAI", "sd-1.5"),
        ({"Description": MIDJOURNEY, "Author": "someone"}, "Midjourney", "01234567-89ab"),
        ({"Software": "Adobe Firefly"}, "Adobe Firefly", "Firefly"),
    ],
)
def test_a_generators_text_is_recognised(texts: dict[str, str], tool: str, detail: str, packed: bool) -> None:
    found = read_provenance(png(packed, **texts))
    assert found.ai is True
    assert found.made_by == tool
    assert detail in says(found, "png_text", "generator")
    assert not any(source.trusted for source in found.sources)
    assert "can be edited by anybody" in found.explanation
    assert f"made by {tool}" in found.note


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": "how many Steps: we took, and a Seed: too"},
        {"prompt": "draw me a sheep"},
        {"prompt": json.dumps({"a": 1})},
        {"workflow": json.dumps({"nodes": "none"})},
        {"Comment": "made with love"},
        {"Description": "A photo of the Midjourney office"},
        {"Software": "GIMP 2.10"},
        {"Software": "Imagen de Gemini"},
        {"Title": "Stable Diffusion"},
    ],
)
def test_other_texts_decide_nothing(texts: dict[str, str]) -> None:
    found = read_provenance(png(**texts))
    assert found.ai is None
    assert found.note == ""


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_exif_of_a_camera_is_told_and_decides_nothing(kind: str) -> None:
    block = exif(make="Canon", model="Canon EOS 50D", software="Photos 3", captured="2020:01:02 03:04:05")
    found = read_provenance(encoded(picture(), kind, exif=block))
    assert found.ai is None
    assert says(found, "exif", "camera") == "Canon EOS 50D"
    assert says(found, "exif", "software") == "Photos 3"
    assert says(found, "exif", "captured") == "2020:01:02 03:04:05"
    assert "written by anybody" in found.explanation


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + A1111.encode("utf-16-be"),
        b"UNICODE\0" + A1111.encode("utf-16-le"),
        b"ASCII\0\0\0" + A1111.encode(),
        b"\0" * 8 + A1111.encode(),
        A1111.encode(),
    ],
)
def test_generation_parameters_in_the_user_comment(kind: str, comment: bytes) -> None:
    found = read_provenance(encoded(picture(), kind, exif=exif(comment=comment)))
    assert (found.ai, found.made_by) == (True, "Stable Diffusion web UI")
    assert "dreamer_v8" in says(found, "exif", "generator")


def test_comfyui_in_the_camera_fields_of_a_webp_is_no_camera() -> None:
    block = exif(make=f"workflow:{GRAPH}", model=f"prompt:{COMFY}")
    found = read_provenance(encoded(picture(), "WEBP", exif=block))
    assert (found.ai, found.made_by) == (True, "ComfyUI")
    assert not [s for s in found.sources if s.claim == "camera"]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(
    ("term", "ai", "how"),
    [
        ("trainedAlgorithmicMedia", True, "made by generative AI"),
        ("compositeWithTrainedAlgorithmicMedia", True, "edited with generative AI"),
        ("digitalCapture", None, "Nothing in the file"),  # anybody can write it: no proof of a camera
        ("computationalCapture", None, "Nothing in the file"),
        ("somethingNew", None, "Nothing in the file"),
    ],
)
def test_iptc_digital_source_type(kind: str, term: str, ai: bool | None, how: str) -> None:
    as_attribute = xmp(f'Iptc4xmpExt:DigitalSourceType="{TYPES}{term}"/>')
    as_element = xmp(
        f"><Iptc4xmpExt:DigitalSourceType>{TYPES}{term}</Iptc4xmpExt:DigitalSourceType></rdf:Description>"
    )
    for packet in (as_attribute, as_element):
        found = read_provenance(with_xmp(kind, packet))
        assert found.ai is ai
        assert f"({term})" in says(found, "iptc", "digital source type")
        assert how in found.explanation


@pytest.mark.parametrize(
    ("properties", "kind", "tool"),
    [
        ('photoshop:Credit="Made with Google AI"/>', "iptc", "Google AI"),
        ('Iptc4xmpExt:AISystemUsed="Painter" Iptc4xmpExt:AISystemVersionUsed="2"/>', "iptc", "Painter 2"),
        ('xmp:CreatorTool="Adobe Firefly"/>', "xmp", "Adobe Firefly"),
    ],
)
def test_generators_in_xmp(properties: str, kind: str, tool: str) -> None:
    found = read_provenance(with_xmp("JPEG", xmp(properties)))
    assert (found.ai, found.made_by) == (True, tool)
    assert says(found, kind, "generator")


@pytest.mark.parametrize(("label", "ai"), [("1", True), ("2", None), ("9", None)])
def test_the_aigc_label(label: str, ai: bool | None) -> None:
    words = json.dumps({"Label": label, "ContentProducer": "Someone"}).replace('"', "&quot;")
    assert read_provenance(with_xmp("JPEG", xmp(f'AIGC:AIGC="{words}"/>'))).ai is ai
    assert read_provenance(png(AIGC=json.dumps({"AIGC": {"Label": label}}))).ai is ai


def test_edits_are_told() -> None:
    packet = xmp(
        'tiff:Make="Nikon" tiff:Model="D850"><xmpMM:History><rdf:Seq>'
        '<rdf:li stEvt:action="saved" stEvt:softwareAgent="Adobe Photoshop 25"/>'
        '<rdf:li rdf:parseType="Resource"><stEvt:action>converted</stEvt:action></rdf:li>'
        "</rdf:Seq></xmpMM:History></rdf:Description>"
    )
    found = read_provenance(with_xmp("JPEG", packet))
    assert found.ai is None
    assert says(found, "xmp", "camera") == "Nikon D850"
    assert says(found, "xmp", "edited") == "saved with Adobe Photoshop 25; converted"


def test_a_credential_elsewhere_is_named_and_not_fetched() -> None:
    found = read_provenance(with_xmp("JPEG", xmp('dcterms:provenance="https://example.org/m.c2pa"/>')))
    assert "nothing is fetched" in says(found, "c2pa", "not checked")
    assert found.ai is None


def test_the_older_iptc_block() -> None:
    credit = b"Made with Google AI"
    iim = b"\x1c\x02\x6e" + len(credit).to_bytes(2) + credit
    block = b"8BIM\x04\x04\0\0" + len(iim).to_bytes(4) + iim + b"\0" * (len(iim) % 2)
    app13 = b"Photoshop 3.0\0" + block
    jpeg = encoded(picture(), "JPEG")
    data = jpeg[:2] + b"\xff\xed" + (len(app13) + 2).to_bytes(2) + app13 + jpeg[2:]
    found = read_provenance(data)
    assert (found.ai, found.made_by) == (True, "Google AI")
    assert says(found, "iptc", "generator") == "Made with Google AI"


def test_jpeg_tables_are_a_fact_and_never_a_verdict() -> None:
    standard = read_provenance(encoded(picture(), "JPEG", quality=77))
    assert "standard (IJG) tables of quality 77" in says(standard, "jpeg_tables", "encoder")
    own = read_provenance(encoded(picture(), "JPEG", qtables=[[5] * 64, [9] * 64]))
    assert "tables of its own" in says(own, "jpeg_tables", "encoder")
    assert standard.ai is None
    assert own.ai is None
    assert "proves nothing" in standard.explanation


@pytest.mark.parametrize("kind", list(KINDS))
def test_plain_files_say_nothing(kind: str) -> None:
    found = read_provenance(KINDS[kind](), "plain")
    assert found.ai is None
    assert found.note == found.summary == ""
    assert {source.kind for source in found.sources} <= {"jpeg_tables"}
    assert "That proves nothing" in found.explanation


def test_the_result_is_plain_json() -> None:
    found = read_provenance(png(parameters=A1111))
    again = json.loads(found.model_dump_json())
    assert again["ai"] is True
    assert set(again["sources"][0]) == {"kind", "claim", "value", "trusted"}
    assert Provenance(**again) == found


def test_neither_torch_nor_streamlit_nor_c2pa_is_needed() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'streamlit', 'gradio', 'c2pa', 'defusedxml'): sys.modules[name] = None\n"
        "from genimage_core.provenance import read_provenance\n"
        "found = read_provenance(sys.stdin.buffer.read())\n"
        "print(found.ai, [s.claim for s in found.sources if s.kind in ('xmp', 'c2pa')])"
    )
    data = with_xmp("JPEG", xmp('xmp:CreatorTool="jumb"/>'))
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=False)
    assert done.stdout.decode().strip() == "None ['not checked', 'not checked']", done.stderr.decode()


def test_pillow_still_reads_what_the_tests_write() -> None:
    """The files above are sound: another reader finds the same text in them."""
    with Image.open(io.BytesIO(png(True, parameters=A1111))) as image:
        image.load()
        assert image.info["parameters"] == A1111
