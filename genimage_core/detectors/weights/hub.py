"""Weight sets from a hub repository, pinned and offline first.

An address is `hf://OWNER/NAME@COMMIT?sha256=DIGEST`: the full commit, and the sha256 of that commit's
`manifest.json`, which in turn pins every weights file. What is in the local cache is used without asking the
network; what the network gives is checked before it is used. Only JSON and safetensors files are fetched.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimage_core.utils.errors import WeightsError

PREFIX = "hf://"
PATTERNS = ["*.json", "*.safetensors"]
_MANIFEST = "manifest.json"
_ADDRESS = re.compile(
    r"hf://(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})\?sha256=(?P<sha256>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Address:
    """A pinned weight set.

    Attributes:
        repository: `owner/name` on the hub.
        revision: the full commit, 40 hexadecimal digits.
        sha256: of that commit's manifest.json, 64 hexadecimal digits.
    """

    repository: str
    revision: str
    sha256: str


def parse_address(text: str) -> Address:
    """Read an address.

    Raises:
        WeightsError: it is no address, or it pins too little.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise WeightsError(
            "this address of a weight set cannot be used.",
            hint="Write hf://OWNER/NAME@COMMIT?sha256=DIGEST, the commit with 40 digits, the digest of its "
            "manifest.json with 64: a branch or tag may change.",
            source=text,
        )
    return Address(**found.groupdict())


def fetch_weights(text: str) -> Path:
    """Return the local folder of a pinned weight set, fetching what the cache lacks.

    Raises:
        WeightsError: the address is wrong, the network or the hub does not answer, or the files are not
            the pinned ones.
    """
    address = parse_address(text)
    folder = _snapshot(address, offline=True)
    if folder is None or not _complete(folder):
        folder = _snapshot(address, offline=False)
    if folder is None or not (folder / _MANIFEST).is_file():
        raise WeightsError(
            "the hub has no weight set at this address.",
            hint="Check repository and commit; the repository needs a manifest.json.",
            source=text,
        )
    digest = hashlib.sha256((folder / _MANIFEST).read_bytes()).hexdigest()
    if digest != address.sha256:
        raise WeightsError(
            "the manifest is not the pinned one (sha256).",
            hint="Check the digest with the repository's owner before you use it.",
            source=text,
        )
    return folder


def _snapshot(address: Address, *, offline: bool) -> Path | None:
    """The snapshot's folder; offline, None where the cache has none."""
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        folder = snapshot_download(
            address.repository,
            revision=address.revision,
            allow_patterns=PATTERNS,
            local_files_only=offline,
        )
    except (OSError, ValueError, HfHubHTTPError, httpx.HTTPError) as error:
        if offline:
            return None
        raise WeightsError(
            f"the cache lacks the weights, and the hub did not give them ({type(error).__name__}).",
            hint="Check repository, commit and connection.",
            source=address.repository,
        ) from None
    return Path(folder)


def _complete(folder: Path) -> bool:
    """Whether every file that the manifest names is there; the cache may hold a part of a snapshot."""
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text())
    except (OSError, ValueError):
        return False
    entries = manifest.get("detectors", {}).values()
    return all((folder / file["path"]).is_file() for entry in entries for file in entry.get("files", []))
