"""Content Credentials: signed here with keys made here, read back, tampered with, and lied with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genimage_core.provenance import read_provenance
from tests.helpers.image_files import encoded, picture
from tests.helpers.provenance_files import A1111, MIME, TYPES, Maker, created, says, trusted, with_xmp, xmp

c2pa = pytest.importorskip("c2pa")


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker("Test Maker")


@pytest.fixture(autouse=True)
def no_trust_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENIMAGE_TRUST_LIST", raising=False)


@pytest.mark.parametrize("kind", list(MIME))
def test_an_intact_credential_of_an_unknown_signer_says_ai(maker: Maker, kind: str) -> None:
    data = maker.sign(encoded(picture(), kind), created("trainedAlgorithmicMedia"), kind)
    found = read_provenance(data)
    assert (found.ai, found.made_by) == (True, "GenX")
    assert trusted(found) == {False}
    assert "not on a trust list" in says(found, "c2pa", "credential")
    assert says(found, "c2pa", "signer") == "Test Maker, signer"
    assert says(found, "c2pa", "claim generator") == "Test Program 1"
    assert "was not proven" in found.explanation
    with Image.open(io.BytesIO(data)) as image:
        image.load()  # what was signed is still a picture


def test_a_known_signer_is_trusted(maker: Maker) -> None:
    data = maker.sign(encoded(picture(), "JPEG"), created("trainedAlgorithmicMedia"))
    found = read_provenance(data, trust_list=maker.root)
    assert found.ai is True
    assert trusted(found) == {True}
    assert "strong evidence" in found.explanation
    assert trusted(read_provenance(data, trust_list=Maker("Somebody Else").root)) == {False}


def test_the_trust_list_comes_from_the_environment(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = maker.sign(encoded(picture(), "JPEG"), created("digitalCapture", "Cam"))
    roots = tmp_path / "roots.pem"
    monkeypatch.setenv("GENIMAGE_TRUST_LIST", str(roots))
    missing = read_provenance(data)
    assert missing.ai is None
    assert "cannot be read" in says(missing, "c2pa", "not checked")
    assert str(roots) not in missing.model_dump_json()
    roots.write_text(maker.root)
    assert read_provenance(data).ai is False
    roots.write_text("no certificate")
    assert read_provenance(data).ai is None


def test_a_camera_is_believed_only_from_a_known_signer(maker: Maker) -> None:
    """Anybody can make a certificate in a minute and sign "captured by a camera"."""
    data = maker.sign(encoded(picture(), "JPEG"), created("digitalCapture", "Cam"))
    believed, unknown = read_provenance(data, trust_list=maker.root), read_provenance(data)
    assert (believed.ai, unknown.ai) == (False, None)
    assert "a camera captured" in believed.explanation
    assert "captured by a digital camera" in says(unknown, "c2pa", "digital source type")
    assert trusted(unknown) == {False}


@pytest.mark.parametrize("term", ["trainedAlgorithmicMedia", "digitalCapture"])
@pytest.mark.parametrize("known", [True, False])
def test_a_tampered_file_is_invalid_and_not_trusted(maker: Maker, term: str, known: bool) -> None:
    data = bytearray(maker.sign(encoded(picture(), "JPEG"), created(term)))
    data[-40] ^= 1
    found = read_provenance(bytes(data), trust_list=maker.root if known else "")
    assert found.ai is None
    assert found.note == ""
    assert trusted(found) == {False}
    assert says(found, "c2pa", "credential").startswith("invalid")
    assert "dataHash.mismatch" in says(found, "c2pa", "credential")
    assert "does not fit the file" in found.explanation


def test_a_credential_moved_to_another_picture_is_invalid(maker: Maker) -> None:
    """Pinning an AI image's credential to a photograph must not discredit it."""
    signed = maker.sign(encoded(picture(), "PNG"), created("trainedAlgorithmicMedia"), "PNG")
    place = signed.index(b"caBX") - 4
    chunk = signed[place : place + 12 + int.from_bytes(signed[place : place + 4])]
    other = encoded(picture(90, 70), "PNG")
    found = read_provenance(other[:33] + chunk + other[33:])
    assert found.ai is None
    assert says(found, "c2pa", "credential").startswith("invalid")


@pytest.mark.parametrize("mark", [b"c2pa.claim", b"trainedAlgorithmicMedia", b"jumd"])
def test_a_damaged_credential_is_told(maker: Maker, mark: bytes) -> None:
    signed = maker.sign(encoded(picture(), "JPEG"), created("trainedAlgorithmicMedia"))
    found = read_provenance(signed.replace(mark, bytes(len(mark)), 1))
    assert found.ai is None
    assert trusted(found) == {False}
    told = [s for s in found.sources if s.claim == "unreadable" or s.value.startswith("invalid")]
    assert [s.kind for s in told] == ["c2pa"]


def test_ai_in_an_earlier_version_counts(maker: Maker) -> None:
    ai = maker.sign(encoded(picture(), "JPEG"), created("trainedAlgorithmicMedia", "GenX"))
    opened = [
        {"action": "c2pa.opened", "parameters": {"org.cai.ingredientIds": ["parent"]}},
        {"action": "c2pa.cropped"},
    ]
    found = read_provenance(maker.sign(encoded(picture(50, 40), "JPEG"), opened, parent=ai))
    assert (found.ai, found.made_by) == (True, "GenX")
    assert says(found, "c2pa", "edited") == "cropped"


def test_a_camera_in_an_earlier_version_proves_nothing(maker: Maker) -> None:
    photo = maker.sign(encoded(picture(), "JPEG"), created("digitalCapture"))
    opened = [{"action": "c2pa.opened", "parameters": {"org.cai.ingredientIds": ["parent"]}}]
    edited = maker.sign(encoded(picture(50, 40), "JPEG"), opened, parent=photo)
    assert read_provenance(edited, trust_list=maker.root).ai is None


def test_an_ai_edit_of_a_photograph_is_called_an_edit(maker: Maker) -> None:
    actions = [
        *created("digitalCapture", "Cam"),
        {"action": "c2pa.edited", "digitalSourceType": TYPES + "compositeWithTrainedAlgorithmicMedia"},
    ]
    found = read_provenance(maker.sign(encoded(picture(), "JPEG"), actions), trust_list=maker.root)
    assert found.ai is True
    assert found.note.startswith("The file itself says it was edited with")


def test_a_trusted_camera_and_ai_metadata_contradict_each_other(maker: Maker) -> None:
    packet = xmp(f'Iptc4xmpExt:DigitalSourceType="{TYPES}trainedAlgorithmicMedia"/>')
    data = maker.sign(with_xmp("JPEG", packet), created("digitalCapture", "Cam"))
    found = read_provenance(data, trust_list=maker.root)
    assert found.ai is None
    assert "contradicts itself" in found.explanation


def test_the_weightiest_names_the_generator(maker: Maker) -> None:
    block = Image.Exif()
    block.get_ifd(34665)[37510] = b"ASCII\0\0\0" + A1111.encode()
    plain = encoded(picture(), "JPEG", exif=block.tobytes())
    assert read_provenance(plain).made_by == "Stable Diffusion web UI"
    assert read_provenance(maker.sign(plain, created("trainedAlgorithmicMedia", "GenX"))).made_by == "GenX"


def test_nothing_is_fetched(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    from genimage_core.provenance import credential

    asked: list[dict[str, Any]] = []
    real = c2pa.Context.from_dict

    def watched(settings: dict[str, Any]) -> Any:
        asked.append(settings)
        return real(settings)

    monkeypatch.setattr(c2pa.Context, "from_dict", watched)
    credential.read_credential(maker.sign(encoded(picture(), "JPEG"), created("digitalCapture")))
    (settings,) = [s for s in asked if "core" in s]
    assert settings["verify"]["remote_manifest_fetch"] is False
    assert settings["verify"]["ocsp_fetch"] is False
    assert settings["core"]["allowed_network_hosts"] == []
