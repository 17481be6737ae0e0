"""Weight sets: a folder with a manifest and one or more safetensors files a detector.

Every file's sha256 stands in the manifest and is checked on loading. A folder written by `train`
(weights.safetensors and manifest.json of one run) is read, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from genimage_core.detectors.weights.hub import PREFIX, fetch_weights
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.errors import WeightsError
from genimage_core.utils.paths import asset

if TYPE_CHECKING:
    from torch import Tensor

BUNDLED = asset("weights")
NAMED = {"sd_v1": asset("weights_sd_v1")}
"""Further bundled sets by name: `sd_v1`, trained on Stable Diffusion 1.x alone as in the paper's Task 1."""

MAX_FILE_BYTES = 38_000_000
MANIFEST = "manifest.json"


class Own(NamedTuple):
    """Weights that a detector brings along.

    Attributes:
        entry: as in a manifest.
        load: reads its tensors.
    """

    entry: dict[str, Any]
    load: Callable[[], dict[str, Tensor]]


OWN: dict[str, Callable[[], Own]] = {}
"""Detectors that bring their own weights, which stand beside the bundled set (see `custom`)."""


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_folder(weights: str | Path = "default") -> Path:
    """Where a weight set lies: a bundled one, a folder, or the local copy of a hub repository.

    Raises:
        WeightsError: a hub repository is not pinned, not to be had, or not what it should be.
    """
    if weights == "default":
        return BUNDLED
    if str(weights).startswith(PREFIX):
        return fetch_weights(str(weights))
    return NAMED.get(str(weights), Path(weights))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a weight set.

    Raises:
        WeightsError: there is none, or it is no JSON.
    """
    path = folder / MANIFEST
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise WeightsError(
            "no weights here.", hint="Train a detector or restore assets/weights.", source=str(folder)
        ) from None
    except ValueError:
        raise WeightsError("the manifest is damaged.", hint="Restore it.", source=str(path)) from None


def weights_entry(name: str, weights: str | Path = "default") -> dict[str, Any]:
    """What the manifest of a weight set says of one detector.

    Raises:
        WeightsError: the set has no weights for it.
    """
    if weights == "default" and name in OWN:
        return OWN[name]().entry
    folder = weights_folder(weights)
    manifest = read_manifest(folder)
    if manifest.get("detector") == name:
        return {"files": [{"path": "weights.safetensors"}], "training": manifest}
    entry = manifest.get("detectors", {}).get(name)
    if entry is None:
        raise WeightsError(
            "this weight set has no weights for it.", hint="Train it, or take another set.", source=name
        )
    return entry


def network_options(name: str, weights: str | Path = "default") -> dict[str, Any]:
    """What the network's class was called with when these weights were trained."""
    options: dict[str, Any] = weights_entry(name, weights).get("training", {}).get("options", {})
    return options


def trained_detectors(weights: str | Path = "default") -> list[str]:
    """Names of the detectors that a weight set covers; empty where there is no set."""
    own = list(OWN) if weights == "default" else []
    try:
        return list(read_manifest(weights_folder(weights)).get("detectors", {})) + own
    except WeightsError:
        return own


def load_state(name: str, weights: str | Path = "default") -> tuple[dict[str, Tensor], str]:
    """A detector's tensors and the sha256 that identifies its weights.

    Raises:
        WeightsError: files are missing, or their sha256 is not the manifest's.
    """
    from safetensors import safe_open

    from genimage_core.detectors.weights.packing import unpack_state

    if weights == "default" and name in OWN:
        own = OWN[name]()
        return own.load(), own.entry["files"][0]["sha256"]
    folder = weights_folder(weights)
    state: dict[str, Tensor] = {}
    digests = []
    for entry in weights_entry(name, weights)["files"]:
        path = folder / entry["path"]
        if not path.is_file():
            raise WeightsError("the weights file is missing.", hint="Restore it.", source=str(path))
        digest = file_sha256(path)
        if entry.get("sha256", digest) != digest:
            raise WeightsError(
                "the weights differ from their manifest (sha256).", hint="Restore the file.", source=str(path)
            )
        digests.append(digest)
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
            state.update(unpack_state(tensors, file.metadata() or {}))
    return state, _joined(digests)


def weights_id(name: str, weights: str | Path = "default") -> str:
    """The sha256 that `load_state` returns, from the manifest alone where it states it: nothing is loaded.

    Raises:
        WeightsError: the set has no weights for it, or a file without a stated sha256 is missing.
    """
    entry, digests = weights_entry(name, weights), []
    for file in entry["files"]:
        digest = file.get("sha256")
        if digest is None:
            path = weights_folder(weights) / file["path"]
            if not path.is_file():
                raise WeightsError("the weights file is missing.", hint="Restore it.", source=str(path))
            digest = file_sha256(path)
        digests.append(digest)
    return _joined(digests)


def _joined(digests: list[str]) -> str:
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _shards(state: dict[str, Tensor], bits: int) -> list[dict[str, Tensor]]:
    """Cut a state into parts that stay under the file limit once packed."""
    shards: list[dict[str, Tensor]] = [{}]
    size = 0.0
    for name, value in state.items():
        # Half a bit on top of each value covers the scales of groups of 32 or more.
        cost = value.numel() * (bits + 0.5) / 8 if value.ndim >= 2 else value.nbytes
        if shards[-1] and size + cost > MAX_FILE_BYTES:
            shards.append({})
            size = 0.0
        shards[-1][name] = value
        size += cost
    return shards


def save_packed(
    name: str,
    state: dict[str, Tensor],
    folder: Path,
    *,
    bits: int,
    group: int,
    facts: dict[str, Any],
    fine: Sequence[str] = (),
) -> dict[str, Any]:
    """Pack a detector's tensors into `folder` and enter them in its manifest.

    Args:
        name: the detector.
        state: its float tensors.
        folder: of the weight set; made where absent.
        bits: 2 to 8 a value.
        group: values a scale.
        facts: what else the manifest is to say (training, packing loss).
        fine: modules in 8 bits (see `pack_state`).

    Returns:
        The manifest's entry.
    """
    from safetensors.torch import save_file

    from genimage_core.detectors.weights.packing import FINE_BITS, pack_state

    folder.mkdir(parents=True, exist_ok=True)
    shards = _shards(state, bits)
    files = []
    for i, shard in enumerate(shards):
        suffix = f"-{i + 1}of{len(shards)}" if len(shards) > 1 else ""
        path = folder / f"{name}{suffix}.safetensors"
        tensors, metadata = pack_state(shard, bits, group, fine)
        save_file(tensors, path, metadata=metadata)
        files.append({"path": path.name, "sha256": file_sha256(path), "bytes": path.stat().st_size})
    manifest = read_manifest(folder) if (folder / MANIFEST).exists() else {"detectors": {}}
    entry = {"files": files, "bits": bits, "group": group, **facts}
    if fine:
        entry["fine"] = {"bits": FINE_BITS, "modules": list(fine)}
    manifest["detectors"][name] = entry
    write_whole(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return entry
