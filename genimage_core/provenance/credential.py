"""C2PA Content Credentials: a signed statement of who made a file and how, checked by the c2pa library.

Nothing is fetched: neither remote manifests, nor revocation lists, nor a trust list. Whose signatures count
as known is the operator's choice: the environment variable GENIMAGE_TRUST_LIST names a file of root
certificates (PEM), such as the C2PA's own published list. Without it anybody's signature is "valid", even one
by a certificate made a minute ago; so a valid signature alone shows that the file was not changed since, and
not that its signer tells the truth.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from genimage_core.provenance.credential_actions import Said, edits, read_said
from genimage_core.provenance.credential_status import read_status
from genimage_core.provenance.generators import agent_name
from genimage_core.provenance.model import GENERATOR, NOT_CHECKED, TRUST, UNREADABLE, Finding, clean, finding
from genimage_core.provenance.vocabulary import source_type
from genimage_core.utils.settings import TRUST_LIST
from genimage_core.utils.settings import trust_list as trust_list_file

_MARK = b"jumb"  # the box that holds every embedded credential
_SETTINGS: dict[str, Any] = {
    "verify": {"verify_after_reading": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
}


def read_credential(data: bytes, trust_list: str | None = None) -> list[Finding]:
    """Read and check a file's Content Credential.

    Args:
        data: the whole file.
        trust_list: root certificates (PEM) of the signers that count as known. By default the file that
            GENIMAGE_TRUST_LIST names; without it no signer is known.
    """
    if _MARK not in data:
        return []  # spares loading the library for most files
    try:
        import c2pa
    except (ImportError, OSError, RuntimeError):  # the wheel's native library may not fit the machine
        words = "a Content Credential is there, but the package c2pa-python is missing"
        return [finding("c2pa", NOT_CHECKED, words)]
    try:
        roots = _trust_list() if trust_list is None else trust_list
    except (OSError, ValueError):
        words = f"the trust list that {TRUST_LIST} names cannot be read; no signer counts as known"
        return [finding("c2pa", NOT_CHECKED, words), *_check(c2pa, data, "")]
    return _check(c2pa, data, roots)


def _trust_list() -> str:
    path = trust_list_file()
    return path.read_text(encoding="ascii") if path else ""


def _check(c2pa: Any, data: bytes, roots: str) -> list[Finding]:
    settings = _SETTINGS | ({"trust": {"user_anchors": roots}} if roots else {})
    try:
        context = c2pa.Context.from_dict(settings)
        with c2pa.Reader(None, io.BytesIO(data), context=context) as reader:
            store, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return []
    except c2pa.C2paError as error:
        return [finding("c2pa", UNREADABLE, f"the Content Credential is damaged ({clean(error, 120)})")]
    return list(_findings(store, str(state)))


def _findings(store: Mapping[str, Any], state: str) -> Iterator[Finding]:
    """Turn a manifest store and its state (Invalid, Valid or Trusted) into findings."""
    manifests = store.get("manifests", {})
    active = manifests.get(store.get("active_manifest"), {})
    status = read_status(store, state)
    trusted = status.trusted
    yield finding("c2pa", "credential", status.integrity_words, trusted=trusted)
    yield finding("c2pa", TRUST, status.trust_words, trusted=trusted)
    if status.breaches:
        words = f"the credential breaks a rule of its standard ({', '.join(status.breaches[:3])})"
        yield finding("c2pa", "form", words)
    signature = active.get("signature_info") or {}
    names = [signature.get("issuer"), signature.get("common_name")]
    if signer := ", ".join(dict.fromkeys(str(name) for name in names if name)):
        yield finding("c2pa", "signer", signer, trusted=trusted)
    if program := _program(active):
        yield finding("c2pa", "claim generator", program, trusted=trusted)
    for manifest in _chain(manifests, active):
        fits = status.integrity == "unchanged" and (manifest is active or status.ingredients_fit)
        for said in read_said(manifest):
            found = _said(said, program, signer, trusted)
            # A camera's word counts only in the outer manifest of a known signer: a lie would pay.
            counts = fits and (found.ai is not False or (trusted and manifest is active))
            yield found if counts else Finding(found.source, None, found.tool)
            if words := said.words:
                yield finding("c2pa", "action", words, trusted=trusted)
    if steps := edits(active):
        yield finding("c2pa", "edited", ", ".join(steps), trusted=trusted)


def _said(said: Said, program: str, signer: str, trusted: bool) -> Finding:
    """What a digital source type, or the name of a generator, says of AI."""
    tool = agent_name(said.agent) or agent_name(said.description) or said.agent
    if said.term:
        tool = tool or said.description or agent_name(f"{program} {signer}")
        return source_type("c2pa", said.term, trusted=trusted, tool=tool)
    words = said.agent or said.description
    if not said.by_generator:
        return finding("c2pa", "program", words, trusted=trusted)
    return finding(
        "c2pa",
        GENERATOR,
        words,
        trusted=trusted,
        ai=True,
        tool=tool or agent_name(f"{program} {signer}"),
        part=said.part,
    )


def _program(manifest: Mapping[str, Any]) -> str:
    infos = manifest.get("claim_generator_info") or []
    info = infos[0] if isinstance(infos, list) and infos and isinstance(infos[0], dict) else {}
    name = f"{info.get('name', '')} {info.get('version', '')}".strip()
    return name or str(manifest.get("claim_generator") or "")


def _chain(manifests: Mapping[str, Any], active: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The active manifest and, in turn, those of the ingredients that it was made from."""
    chain: list[Mapping[str, Any]] = [active]
    seen: set[str] = set()
    for manifest in chain:  # grows while it is walked
        for ingredient in manifest.get("ingredients") or []:
            label = str(ingredient.get("active_manifest"))
            if label in manifests and label not in seen:
                seen.add(label)
                if manifests[label] is not active:
                    chain.append(manifests[label])
    return chain
