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

from genimage_core.provenance.model import NOT_CHECKED, UNREADABLE, Finding, clean, finding
from genimage_core.provenance.vocabulary import generator_name, source_type
from genimage_core.utils.settings import TRUST_LIST
from genimage_core.utils.settings import trust_list as trust_list_file

_MARK = b"jumb"  # the box that holds every embedded credential
_OPENING = {"c2pa.created", "c2pa.opened", "c2pa.placed"}
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
    trusted, intact = state == "Trusted", state in ("Valid", "Trusted")
    yield finding("c2pa", "credential", _state_words(store, state), trusted=trusted)
    signature = active.get("signature_info") or {}
    names = [signature.get("issuer"), signature.get("common_name")]
    if signer := ", ".join(dict.fromkeys(str(name) for name in names if name)):
        yield finding("c2pa", "signer", signer, trusted=trusted)
    if program := _program(active):
        yield finding("c2pa", "claim generator", program, trusted=trusted)
    for manifest in _chain(manifests, active):
        for term, agent in _source_types(manifest):
            tool = generator_name(agent) or agent or generator_name(f"{program} {signer}")
            said = source_type("c2pa", term, trusted=trusted, tool=tool)
            captured = said.ai is False
            # A camera's word counts only in the outer manifest of a known signer: a lie would pay.
            counts = intact and (not captured or (trusted and manifest is active))
            yield said if counts else Finding(said.source, None, said.tool)
    if edits := _edits(active):
        yield finding("c2pa", "edited", ", ".join(edits), trusted=trusted)


def _state_words(store: Mapping[str, Any], state: str) -> str:
    if state == "Trusted":
        return "valid: the file is unchanged since it was signed, and the signer is on the trust list"
    if state == "Valid":
        return "the file is unchanged since it was signed; the signer is not on a trust list"
    failures = (store.get("validation_results") or {}).get("activeManifest", {}).get("failure", [])
    codes = [str(f.get("code")) for f in failures if f.get("code") != "signingCredential.untrusted"]
    return "invalid: the file was changed after signing, or the credential belongs to another one" + (
        f" ({', '.join(codes[:3])})" if codes else ""
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


def _actions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            found += [a for a in (assertion.get("data") or {}).get("actions") or [] if isinstance(a, dict)]
    return found


def _source_types(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(digital source type, program) of each action, and of a manifest's metadata assertions."""
    found = {}
    for action in _actions(manifest):
        agent = action.get("softwareAgent") or ""
        if isinstance(agent, dict):
            agent = f"{agent.get('name', '')} {agent.get('version', '')}".strip()
        if term := action.get("digitalSourceType"):
            found[str(term)] = str(agent or action.get("description") or "")
    for assertion in manifest.get("assertions") or []:
        data = assertion.get("data")
        for key, term in data.items() if isinstance(data, dict) else ():
            if str(key).lower().endswith(":digitalsourcetype"):
                found.setdefault(str(term), "")
    return list(found.items())


def _edits(manifest: Mapping[str, Any]) -> list[str]:
    names = [str(action.get("action", "")) for action in _actions(manifest)]
    return [n.removeprefix("c2pa.") for n in dict.fromkeys(names) if n and n not in _OPENING][:8]
