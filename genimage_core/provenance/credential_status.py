"""What a credential's checks found, told apart: is the file unchanged, is the signer known, is the form kept.

Codes: C2PA technical specification 2.x, 15.2 "Returning validation results". The library calls a credential
invalid for any of them; but an expired certificate, or an action that lacks a field, changes no byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from genimage_core.provenance.model import UNCHECKABLE

_TRUST = ("signingCredential.", "timeStamp.", "claimSignature.outsideValidity")
_CHANGED = (
    "claimSignature.missing", "claim.missing", "claim.multiple", "claim.hardBindings.missing",
    "hashedURI.missing", "assertion.missing", "assertion.undeclared", "assertion.inaccessible",
    "assertion.multipleHardBindings",
    "assertion.outsideManifest", "assertion.notRedacted", "manifest.inaccessible", "manifest.multipleParents",
)  # fmt: skip
_TRUST_WORDS = {
    "signingCredential.expired": "its certificate has expired",
    "claimSignature.outsideValidity": "its certificate was not valid when it signed",
    "signingCredential.revoked": "its certificate was revoked",
    "signingCredential.ocsp.revoked": "its certificate was revoked",
    "signingCredential.invalid": "its certificate is not one for signing credentials",
    "timeStamp.": "the time stamp can't be checked",
}
Integrity = Literal["unchanged", "changed", "unknown"]


@dataclass(frozen=True)
class Status:
    """The three answers.

    Attributes:
        integrity: "unchanged" if the signature and the file's hash were checked and fit, "changed" if one
            does not, "unknown" if they could not be checked.
        trusted: whether the signer is on the trust list, and all else is in order.
        doubts: why the signer can't be checked, in words; "" for no reason but the list.
        breaches: codes of the rules of form that the statement breaks.
        failures: codes of what does not fit.
        ingredients_fit: whether the statements of earlier versions fit what they were made for.
    """

    integrity: Integrity
    trusted: bool
    doubts: str
    breaches: tuple[str, ...]
    failures: tuple[str, ...]
    ingredients_fit: bool

    @property
    def integrity_words(self) -> str:
        """Whether the file is unchanged, in words."""
        codes = f" ({', '.join(self.failures[:3])})" if self.failures else ""
        if self.integrity == "changed":
            words = "invalid: the file was changed after signing, or the credential belongs to another one"
            return f"{words}{codes}"
        if self.integrity == "unknown":
            return f"not checked: whether the file is unchanged can't be told{codes}"
        words = "valid: the file" if self.trusted else "the file"
        return f"{words} is unchanged since it was signed"

    @property
    def trust_words(self) -> str:
        """Whether the signer is known, in words."""
        if self.trusted:
            return "the signer is on the trust list"
        if self.doubts:
            return f"{UNCHECKABLE}: {self.doubts}"
        return "the signer is not on a trust list"


def read_status(store: Mapping[str, Any], state: str) -> Status:
    """Tell the three answers apart.

    Args:
        store: the manifest store, as c2pa's reader gives it.
        state: the library's own summary: Invalid, Valid or Trusted.
    """
    results = store.get("validation_results") or {}
    active = results.get("activeManifest") or {}
    codes = _codes(active.get("failure"))
    changed = tuple(code for code in codes if _is_change(code))
    trust = [code for code in codes if code.startswith(_TRUST)]
    passed = _codes(active.get("success"))
    proven = "claimSignature.validated" in passed and any(code.endswith("Hash.match") for code in passed)
    doubts = [words for start, words in _TRUST_WORDS.items() if any(code.startswith(start) for code in trust)]
    deltas = [d.get("validationDeltas") or {} for d in results.get("ingredientDeltas") or []]
    return Status(
        integrity="changed" if changed else ("unchanged" if proven else "unknown"),
        trusted=state == "Trusted",
        doubts=", ".join(dict.fromkeys(doubts)),
        breaches=tuple(code for code in codes if code not in changed and code not in trust),
        failures=changed,
        ingredients_fit=not any(
            _is_change(code) for delta in deltas for code in _codes(delta.get("failure"))
        ),
    )


def _codes(entries: Any) -> list[str]:
    return list(dict.fromkeys(str(entry.get("code")) for entry in entries or [] if isinstance(entry, dict)))


def _is_change(code: str) -> bool:
    return (code.endswith(".mismatch") and not code.startswith("timeStamp.")) or code in _CHANGED
