"""Content Credentials: signed here with keys made here, read back, tampered with, and lied with."""

from __future__ import annotations

import datetime
import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genimage_core.provenance import Provenance, read_provenance
from tests.helpers.image_files import encoded, picture
from tests.helpers.provenance_files import A1111, MIME, TYPES, Maker, created, says, trusted, with_xmp, xmp

c2pa = pytest.importorskip("c2pa")


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker("Test Maker")


@pytest.fixture(scope="module")
def expired() -> tuple[Maker, dict[str, bytes], bytes]:
    """A signer, files of every kind that say AI, a photograph; all signed before the certificate expired."""
    maker = Maker("Expired Maker", lifetime=6)
    made = {
        kind: maker.sign(encoded(picture(), kind), created("trainedAlgorithmicMedia"), kind) for kind in MIME
    }
    photo = maker.sign(encoded(picture(), "JPEG"), created("digitalCapture", "Cam"))
    left = maker.expires - datetime.datetime.now(datetime.UTC)
    time.sleep(max(0.0, left.total_seconds()) + 1.5)
    return maker, made, photo


@pytest.fixture(autouse=True)
def no_trust_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENIMAGE_TRUST_LIST", raising=False)


@pytest.mark.parametrize("kind", list(MIME))
def test_an_intact_credential_of_an_unknown_signer_says_ai(maker: Maker, kind: str) -> None:
    data = maker.sign(encoded(picture(), kind), created("trainedAlgorithmicMedia"), kind)
    found = read_provenance(data)
    assert (found.ai, found.made_by) == (True, "GenX")
    assert trusted(found) == {False}
    assert "not on a trust list" in says(found, "c2pa", "trust")
    assert "unchanged" in says(found, "c2pa", "credential")
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


def claims(found: Provenance) -> set[str]:
    return {source.claim for source in found.sources if source.kind == "c2pa"}


@pytest.mark.parametrize("kind", list(MIME))
@pytest.mark.parametrize("known", [True, False])
def test_an_expired_certificate_does_not_change_a_file(expired: Any, kind: str, known: bool) -> None:
    maker, made, _ = expired
    found = read_provenance(made[kind], trust_list=maker.root if known else "")
    assert (found.ai, found.made_by) == (True, "GenX")
    assert "unchanged" in says(found, "c2pa", "credential")
    assert "changed after signing" not in found.model_dump_json()
    assert "expired" in says(found, "c2pa", "trust")
    assert "expired" in found.explanation
    assert trusted(found) == {False}


def test_an_expired_certificate_proves_no_camera(expired: Any) -> None:
    maker, _, photo = expired
    assert read_provenance(photo, trust_list=maker.root).ai is None


def test_a_changed_file_stays_changed_whatever_else_is_wrong(expired: Any) -> None:
    data = bytearray(expired[1]["JPEG"])
    data[-40] ^= 1
    found = read_provenance(bytes(data))
    assert found.ai is None
    assert says(found, "c2pa", "credential").startswith("invalid")
    assert "expired" in says(found, "c2pa", "trust")


@pytest.mark.parametrize("known", [True, False])
def test_a_breach_of_form_is_no_change(maker: Maker, known: bool) -> None:
    """An action without its digital source type breaks a rule of claim version 2, and no byte of the file."""
    bare = [{"action": "c2pa.created", "softwareAgent": "DALL-E", "description": "AI Generated Image"}]
    data = maker.sign(encoded(picture(), "JPEG"), bare)
    found = read_provenance(data, trust_list=maker.root if known else "")
    assert (found.ai, found.made_by) == (True, "OpenAI (DALL·E)")
    assert "unchanged" in says(found, "c2pa", "credential")
    assert "assertion.action.malformed" in says(found, "c2pa", "form")
    assert "AI Generated Image" in says(found, "c2pa", "action")
    assert trusted(found) == {False}


@pytest.mark.parametrize(
    ("agent", "description", "tool"),
    [
        ("Image Creator from Designer", "AI Generated Image", "Microsoft Image Creator"),
        ("Bing Image Creator", "", "Microsoft Image Creator"),
        ({"name": "GPT-4o", "version": "1"}, "", "OpenAI"),
        ("DALL·E", "", "OpenAI (DALL·E)"),
        ("", "Created with Google Generative AI", "Google AI"),
        ("", "ai-generated image", ""),
        ("Adobe Firefly 3.0", "", "Adobe Firefly"),
    ],
)
@pytest.mark.parametrize("claim_version", [1, 2])
def test_an_agent_or_description_names_the_generator(
    maker: Maker, agent: Any, description: str, tool: str, claim_version: int
) -> None:
    action = {"action": "c2pa.created"}
    action |= {"softwareAgent": agent} if agent else {}
    action |= {"description": description} if description else {}
    found = read_provenance(maker.sign(encoded(picture(), "JPEG"), [action], claim_version=claim_version))
    assert (found.ai, found.made_by) == (True, tool)
    assert claims(found) >= {"credential", "trust", "generator"}


@pytest.mark.parametrize(
    ("action", "agent", "description"),
    [
        ("c2pa.created", "Adobe Photoshop 25", ""),
        ("c2pa.created", "Recraftsman Photo", "a photo of Anna Grokowski"),
        ("c2pa.created", "Photo Tool", "Not an AI generated image"),
        ("c2pa.created", "Photo Tool", "made without DALL-E"),
        ("c2pa.opened", "ChatGPT", ""),
        ("c2pa.converted", "OpenAI", ""),
    ],
)
def test_other_agents_say_nothing_of_ai(maker: Maker, action: str, agent: str, description: str) -> None:
    actions = [{"action": action, "softwareAgent": agent, "description": description}]
    assert read_provenance(maker.sign(encoded(picture(), "JPEG"), actions, claim_version=1)).ai is None


def test_an_edit_by_a_generator_is_an_edit(maker: Maker) -> None:
    actions = [{"action": "c2pa.edited", "softwareAgent": "Adobe Firefly"}]
    found = read_provenance(maker.sign(encoded(picture(), "JPEG"), actions, claim_version=1))
    assert found.note.startswith("The file itself says it was edited with Adobe Firefly")


def test_agent_and_description_are_shown_beside_a_source_type(maker: Maker) -> None:
    actions = [created("trainedAlgorithmicMedia", "GenX")[0] | {"description": "A new picture"}]
    found = read_provenance(maker.sign(encoded(picture(), "JPEG"), actions))
    assert says(found, "c2pa", "action") == "GenX: A new picture"


@pytest.mark.parametrize(
    ("failure", "success", "integrity", "doubt", "breaches"),
    [
        ([], ["claimSignature.validated", "assertion.dataHash.match"], "unchanged", "", 0),
        ([], ["claimSignature.validated"], "unknown", "", 0),
        ([], [], "unknown", "", 0),
        (["assertion.bmffHash.mismatch"], ["claimSignature.validated"], "changed", "", 0),
        (["claimSignature.mismatch"], ["assertion.dataHash.match"], "changed", "", 0),
        (["claim.hardBindings.missing"], ["claimSignature.validated"], "changed", "", 0),
        (
            ["signingCredential.ocsp.revoked"],
            ["claimSignature.validated", "assertion.boxesHash.match"],
            "unchanged",
            "revoked",
            0,
        ),
        (
            ["timeStamp.mismatch", "assertion.cbor.invalid"],
            ["claimSignature.validated", "assertion.dataHash.match"],
            "unchanged",
            "time stamp",
            1,
        ),
    ],
)
def test_the_three_answers_are_told_apart(
    failure: list[str], success: list[str], integrity: str, doubt: str, breaches: int
) -> None:
    from genimage_core.provenance.credential_status import read_status

    active = {"failure": [{"code": code} for code in failure], "success": [{"code": c} for c in success]}
    status = read_status({"validation_results": {"activeManifest": active}}, "Invalid")
    assert status.integrity == integrity
    assert (doubt in status.doubts) if doubt else not status.doubts
    assert len(status.breaches) == breaches
    assert not status.trusted
