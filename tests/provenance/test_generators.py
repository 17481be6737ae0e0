"""Every generator's own text, in every place of every container, and every name that means none."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genimage_core.provenance import read_provenance
from genimage_core.provenance.generators import GENERATORS, agent_name, credit_name, maker_name
from tests.helpers.image_files import HAS_AVIF, encoded, picture
from tests.helpers.metadata_files import (
    PLACES,
    extended_xmp,
    gif_comment,
    gif_with,
    gif_xmp,
    iim,
    raw_profile,
    stealth,
    with_iptc,
    with_segment,
    xp_comment,
)
from tests.helpers.provenance_files import A1111, COMFY, GRAPH, NOVEL, TYPES, exif, png, says, with_xmp, xmp

TAIL = ', Template: "' + "a very long wildcard template, " * 400 + '"'
EASY = {"prompt": "a kite", "use_stable_diffusion_model": "sd-1-4", "sampler_name": "ddim", "seed": "1"}
CIVITAI = json.loads(COMFY) | {
    "extra": {"airs": ["urn:air:x"]},
    "extraMetadata": json.dumps({"prompt": "a kite", "steps": 25}),
}
FORMS: dict[str, tuple[str, str]] = {
    "AUTOMATIC1111": ("Stable Diffusion web UI", A1111),
    "AUTOMATIC1111, long tail": ("Stable Diffusion web UI", A1111 + TAIL),
    "one line": ("Stable Diffusion web UI", A1111.replace("\n", " ")),
    "other order": ("Stable Diffusion web UI", "a kite\nSteps: 8, Seed: 3, Size: 64x64, CFG scale: 1.5"),
    "Fooocus text": ("Fooocus", A1111 + ", Version: Fooocus v2.5.5"),
    "Civitai text": ("Civitai", A1111 + ', Civitai resources: [{"type":"checkpoint"}]'),
    "SD.Next": ("SD.Next", A1111 + ", App: SD.Next, Version: 1"),
    "Fooocus": ("Fooocus", json.dumps({"base_model": "x", "version": "Fooocus v2.1.8"})),
    "Fooocus-MRE": ("Fooocus", json.dumps({"prompt": "a", "software": "Fooocus 1.0.36 MRE"})),
    "RuinedFooocus": ("RuinedFooocus", json.dumps({"Prompt": "a", "software": "RuinedFooocus"})),
    "SwarmUI": ("SwarmUI", json.dumps({"sui_image_params": {"model": "m"}, "sui_extra_data": {}})),
    "ComfyUI prompt": ("ComfyUI", COMFY),
    "ComfyUI workflow": ("ComfyUI", GRAPH),
    "ComfyUI, both in one": ("ComfyUI", json.dumps({"prompt": json.loads(COMFY), "workflow": GRAPH})),
    "ComfyUI, with its prefix": ("ComfyUI", f"prompt:{COMFY}"),
    "Civitai": ("Civitai", json.dumps(CIVITAI)),
    "Easy Diffusion": ("Easy Diffusion", json.dumps(EASY)),
    "mflux": ("mflux", json.dumps({"mflux_version": "0.9.0", "model": "dev"})),
    "Draw Things": ("Draw Things", json.dumps({"c": "a", "uc": "b", "sampler": "x", "seed": 1})),
    "NovelAI": ("NovelAI", NOVEL),
}


@pytest.mark.parametrize("place", list(PLACES))
@pytest.mark.parametrize("form", list(FORMS))
def test_a_form_is_recognised_in_every_place(form: str, place: str) -> None:
    tool, text = FORMS[form]
    found = read_provenance(PLACES[place](text))
    assert (found.ai, found.made_by) == (True, tool)
    assert not [s for s in found.sources if s.claim == "camera"]


@pytest.mark.skipif(not HAS_AVIF, reason="Pillow without AVIF")
def test_forms_in_avif() -> None:
    comment = exif(comment=b"UNICODE\0" + A1111.encode("utf-16-le"))
    assert read_provenance(encoded(picture(), "AVIF", exif=comment)).ai is True
    packet = xmp(f'Iptc4xmpExt:DigitalSourceType="{TYPES}trainedAlgorithmicMedia"/>')
    assert read_provenance(encoded(picture(), "AVIF", xmp=packet)).ai is True


@pytest.mark.parametrize("upper", [False, True])
def test_settings_in_one_chunk_each(upper: bool) -> None:
    old = {"Prompt": "a", "Stable Diffusion model": "sd", "Sampler": "ddim", "Steps": "20", "Seed": "1"}
    chunks = {key.upper(): text for key, text in EASY.items()} if upper else EASY
    for texts in (chunks, old):
        assert read_provenance(png(**texts)).made_by == "Easy Diffusion"
    assert read_provenance(png(use_stable_diffusion_model="my notes")).ai is None


@pytest.mark.parametrize("alpha", [True, False])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_hidden_texts(alpha: bool, packed: bool, kind: str) -> None:
    nai = json.dumps({"Software": "NovelAI", "Source": "NovelAI Diffusion V4", "Comment": NOVEL})
    for text, tool in ((nai, "NovelAI"), (A1111, "Stable Diffusion web UI"), (COMFY, "ComfyUI")):
        found = read_provenance(stealth(text, alpha=alpha, packed=packed, kind=kind))
        assert (found.ai, found.made_by) == (True, tool)
        assert "hidden text" in found.explanation


def test_hidden_texts_that_are_damaged_are_told() -> None:
    with Image.open(io.BytesIO(stealth(A1111))) as image:
        cut = image.crop((0, 0, 4, image.height))
    found = read_provenance(encoded(cut, "PNG"))
    assert found.ai is None
    assert "cut short" in says(found, "watermark", "unreadable")


def test_grok_signs_beside_a_uuid() -> None:
    signature = "Signature: " + base64.b64encode(bytes(range(96))).decode()
    uuid = "0a1b2c3d-0000-4000-8000-0123456789ab"

    def block(description: str, artist: str) -> bytes:
        made = Image.Exif()
        made[270], made[315] = description, artist
        return encoded(picture(), "JPEG", exif=made.tobytes())

    assert read_provenance(block(signature, uuid)).made_by == "xAI Grok"
    assert read_provenance(block(signature, uuid.upper())).made_by == "xAI Grok"
    for pair in ((signature, "Anna Grok"), ("Signature: Anna", uuid), ("a photo", uuid)):
        assert read_provenance(block(*pair)).ai is None


@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + A1111.encode("utf-8"),
        b"UNICODE\0" + A1111.encode("utf-16-le") + b"\0\0",
        b"UNICODE\0\0" + A1111.encode("utf-16-be"),
        b"UNICODE\0\0" + A1111.encode("utf-16-le"),
        b"UNICODE " + A1111.encode("utf-16-be"),
        b"UNICODE" + A1111.encode("utf-16-le"),
        b"Unicode\0" + A1111.encode("utf-16-be"),
        b"UNICODE\0" + b"\xff\xfe" + A1111.encode("utf-16-le"),
        b"UNICODE\0" + b"\xfe\xff" + A1111.encode("utf-16-be"),
        b"UNICODE\0" + ("風景の写真" * 40 + "\n" + A1111).encode("utf-16-be"),
        b"UNICODE\0" + ("風景の写真\n" + A1111).encode("utf-8"),
        b"ascii\0\0\0" + A1111.encode(),
        b"ASCII\0" + A1111.encode(),
        b"JIS\0\0\0\0\0" + A1111.encode("iso2022_jp"),
        A1111.encode("utf-16-le"),
        b"\0" * 8 + A1111.encode("utf-16-be"),
    ],
)
def test_user_comments_in_any_encoding(comment: bytes) -> None:
    found = read_provenance(encoded(picture(), "JPEG", exif=exif(comment=comment)))
    assert (found.ai, found.made_by) == (True, "Stable Diffusion web UI")
    assert "dreamer_v8" in says(found, "exif", "generator")


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize("text", ["DALL·E 3", "Modèle d’été", "カメラ"])
def test_exif_text_in_utf8(kind: str, text: str) -> None:
    block = exif(software="#" * len(text.encode())).replace(b"#" * len(text.encode()), text.encode())
    found = read_provenance(encoded(picture(), kind, exif=block))
    assert text in [s.value for s in found.sources if s.kind == "exif"]
    assert found.made_by == ("OpenAI (DALL·E)" if text.startswith("DALL") else "")


def test_exif_text_in_latin_1_is_still_read() -> None:
    block = exif(software="####").replace(b"####", "ÄÖÜß".encode("latin-1"))
    assert says(read_provenance(encoded(picture(), "JPEG", exif=block)), "exif", "software") == "ÄÖÜß"


CREDIT = ((110, "Made with Google AI"),)
GOOGLE = xmp('photoshop:Credit="Made with Google AI"/>')


@pytest.mark.parametrize(
    "data",
    [
        raw_profile("iptc", iim(*CREDIT)),
        raw_profile("iptc", iim(*CREDIT, photoshop=False), packed=False),
        raw_profile("8bim", iim(*CREDIT)),
        raw_profile("xmp", GOOGLE),
        raw_profile("APP1", b"http://ns.adobe.com/xap/1.0/\0" + GOOGLE),
        png(IPTC=iim(*CREDIT, photoshop=False).hex()),
        with_iptc(*CREDIT),
        extended_xmp(GOOGLE),
        gif_with(gif_xmp(xmp('photoshop:Credit="made with google ai"/>'))),
        gif_with(gif_comment("a comment"), gif_xmp(GOOGLE, plain=False)),
    ],
)  # fmt: skip
def test_a_credit_in_every_kind_of_block(data: bytes) -> None:
    found = read_provenance(data)
    assert (found.ai, found.made_by) == (True, "Google AI")


def test_an_edit_by_google_is_an_edit() -> None:
    photo = encoded(picture(), "JPEG", exif=exif(make="Google", model="Pixel 9"))
    found = read_provenance(with_iptc((110, "Edited with Google AI"), jpeg=photo))
    assert found.note.startswith("The file itself says it was edited with Google AI")


@pytest.mark.parametrize("body", [b"no hexadecimal digits", b"\niptc\n 4\nzz", b""])
def test_a_broken_raw_profile_is_told(body: bytes) -> None:
    found = read_provenance(png(**{"Raw profile type iptc": body.decode()}))
    assert found.ai is None


@pytest.mark.parametrize("end", ["", "/", "#", " ", "//"])
@pytest.mark.parametrize(
    "base", [TYPES, "https://cv.iptc.org/newscodes/digitalsourcetype/", "digsrctype:", ""]
)
@pytest.mark.parametrize("term", ["trainedAlgorithmicMedia", "TRAINEDALGORITHMICMEDIA"])
def test_digital_source_types_however_they_are_written(base: str, term: str, end: str) -> None:
    packet = xmp(f'Iptc4xmpExt:DigitalSourceType="{base}{term}{end}"/>')
    for data in (with_xmp("JPEG", packet), gif_with(gif_xmp(packet)), extended_xmp(packet)):
        assert read_provenance(data).ai is True


@pytest.mark.parametrize("place", ["GIF in front", "GIF behind a comment", "JPEG behind a comment"])
def test_several_comments(place: str) -> None:
    made = {
        "GIF in front": lambda: gif_with(gif_comment(A1111), gif_comment("second")),
        "GIF behind a comment": lambda: gif_with(gif_comment("first"), gif_comment(A1111)),
        "JPEG behind a comment": lambda: with_segment(0xFE, b"first", with_segment(0xFE, A1111.encode())),
    }
    assert read_provenance(made[place]()).ai is True


def test_a_comment_behind_the_frames_of_a_gif() -> None:
    data = gif_with()
    assert data.endswith(b";")
    assert read_provenance(data[:-1] + gif_comment(A1111) + b";").ai is True


def test_swarmui_of_2023_is_no_camera() -> None:
    block = exif(model=json.dumps({"sui_image_params": {"model": "ex"}}))
    found = read_provenance(encoded(picture(), "JPEG", exif=block))
    assert found.made_by == "SwarmUI"
    assert not [s for s in found.sources if s.claim == "camera"]


PHOTO: dict[str, Any] = {"make": "Canon", "model": "Canon EOS R6", "captured": "2024:05:01 10:00:00"}
JOB = "Job ID: 01234567-89ab-4cde-8f01-23456789abcd"
NAMES = ["Anna Grok", "Recraft Studio", "Dali E. Fogooocus", "Midjourney Fan Club", "Photo: OpenAI", "xAI"]


def photo(**more: str) -> bytes:
    tags = {"description": 270, "software": 305, "artist": 315, "copyright": 33432}
    block = Image.Exif()
    block[271], block[272] = PHOTO["make"], PHOTO["model"]
    for name, text in more.items():
        block[tags[name]] = text
    return encoded(picture(), "JPEG", exif=block.tobytes())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("camera", [True, False])
def test_names_of_people_and_givers_make_no_generator(name: str, camera: bool) -> None:
    jpeg = photo(artist=name, copyright=name) if camera else encoded(picture(), "JPEG")
    packet = f'photoshop:Credit="Courtesy of {name}" photoshop:Source="{name}" dc:creator="{name}"/>'
    for data in (
        jpeg,
        with_iptc((80, name), (110, f"Courtesy of {name}"), (115, name), jpeg=jpeg),
        with_iptc((110, name), jpeg=jpeg),
        with_xmp("JPEG", xmp(packet)),
        with_xmp("PNG", xmp(packet)),
        png(Author=name, Source=name, Title=name, Copyright=name, Description=f"by {name}"),
        encoded(picture(), "JPEG", exif=xp_comment(name)),
        with_segment(0xFE, name.encode()),
        gif_with(gif_comment(name)),
    ):
        assert read_provenance(data).ai is None


@pytest.mark.parametrize(
    "software", ["Grok Photo Sorter", "Imagen de Gemini", "Adobe Photoshop, by the Firefly team", "Leonardo"]
)
def test_names_of_other_programs_make_no_generator(software: str) -> None:
    packet = xmp(f'xmp:CreatorTool="{software}"/>')
    for data in (photo(software=software), png(Software=software), with_xmp("PNG", packet)):
        assert read_provenance(data).ai is None


@pytest.mark.parametrize(
    "text", [f"Class photo 4b. {JOB}", f"{JOB}", f"Order 7, {JOB.lower()}", f"a --- b {JOB}"]
)
def test_a_print_shops_job_number(text: str) -> None:
    for data in (
        photo(description=text),
        png(Description=text),
        with_xmp("JPEG", xmp(f'dc:description="{text}"/>')),
    ):
        assert read_provenance(data).ai is None


@pytest.mark.parametrize("text", [f"a red kite --ar 3:2 --v 6 {JOB}", f"a red kite --style raw {JOB}"])
def test_midjourneys_description(text: str) -> None:
    plain = encoded(picture(), "JPEG", exif=exif(description=text))
    for data in (png(Description=text), plain, with_xmp("JPEG", xmp(f'dc:description="{text}"/>'))):
        assert read_provenance(data).made_by == "Midjourney"
    assert read_provenance(photo(description=text)).ai is None  # a camera outranks what people write, too


def test_midjourneys_description_without_options() -> None:
    texts = {"Description": f"a red kite {JOB}", "Author": "someone", "Creation Time": "Mon, 01 Jan 2024"}
    assert read_provenance(png(**texts)).made_by == "Midjourney"


def test_a_camera_outranks_a_program_but_not_a_generators_own_form() -> None:
    assert read_provenance(encoded(picture(), "JPEG", exif=exif(software="Midjourney"))).ai is True
    found = read_provenance(photo(software="Midjourney"))
    assert found.ai is None
    assert says(found, "exif", "software") == "Midjourney"
    exposed = Image.Exif()
    exposed[305] = "Midjourney"
    exposed.get_ifd(34665)[33434] = 0.004
    assert read_provenance(encoded(picture(), "JPEG", exif=exposed.tobytes())).ai is None
    assert read_provenance(with_segment(0xFE, A1111.encode(), photo())).ai is True


@pytest.mark.parametrize(
    "text", ["sailing holiday 2019", "-s", "a - b -c d", '"I have a dream" -- M. L. King']
)
def test_prose_in_chunks_that_generators_use(text: str) -> None:
    for chunk in ("Dream", "prompt", "workflow", "parameters", "Comment", "sd-metadata", "invokeai_metadata"):
        assert read_provenance(png(**{chunk: text})).ai is None
    command = '"a red kite" -s 50 -S 1234 -W 512 -H 512 -C 7.5 -A k_lms'
    assert read_provenance(png(Dream=command)).made_by == "InvokeAI"


@pytest.mark.parametrize(
    "text",
    [
        "Steps: 3, Seed: basil, Sampler of herbs",
        "Steps: 12, up to the tower",
        json.dumps({"nodes": [1, 2], "links": []}),
        json.dumps({"software": "Lightroom", "version": "7"}),
        json.dumps({"prompt": "a", "seed": 1}),
        json.dumps({"model": "EOS", "AIGC": "no"}),
        "{" * 5000,
        '{"a":' * 3000,
    ],
)
@pytest.mark.parametrize("place", list(PLACES))
def test_texts_that_only_look_like_it(text: str, place: str) -> None:
    assert read_provenance(PLACES[place](text)).ai is None


def test_every_entry_is_complete_and_documented() -> None:
    table = (Path(__file__).parents[2] / "docs" / "provenance.md").read_text(encoding="utf-8")
    for generator in GENERATORS:
        assert f"| {generator.name} |" in table
        assert "https://" in generator.sources
        assert generator.form or generator.maker or generator.agent or generator.credit
    assert len({generator.name for generator in GENERATORS}) == len(GENERATORS)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Midjourney", "Midjourney"),
        ("midjourney v6.1", "Midjourney"),
        ("DALL-E", "OpenAI (DALL·E)"),
        ("OpenAI DALL-E 3", "OpenAI (DALL·E)"),
        ("Adobe_Firefly", "Adobe Firefly"),
        ("IDEOGRAM AI", "Ideogram"),
        ("ComfyUI 0.3 (linux)", "ComfyUI"),
        ("Fooocus v2.5.5", "Fooocus"),
        ("MFLUX 0.9.0", "mflux"),
        ("Stable Diffusion XL", "Stable Diffusion"),
        *((name, "") for name in ("Canon", "Grok", "Meta AI", "Firefly III camera", "Image Creator Pro")),
    ],
)
def test_names_of_makers(value: str, name: str) -> None:
    assert maker_name(value) == name


def test_names_in_credits_and_of_agents() -> None:
    assert credit_name("Made with Google AI.") == "Google AI"
    assert credit_name("Made with Google AI and love") == ""
    assert agent_name("Grok 2") == "xAI Grok"
    assert agent_name("Recraftsman") == ""
