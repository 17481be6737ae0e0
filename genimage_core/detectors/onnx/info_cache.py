"""What the bundled detectors are, kept on disk: names and facts are read without importing their networks.

The facts stand beside each network, in its own file. Importing those imports torch, which takes seconds; so
a process that has done it writes them down, under a name that changes with the code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genimage_core.detectors.info import DetectorInfo, InputSpec
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.paths import cache_folder

if TYPE_CHECKING:
    from genimage_core.detectors.base import DetectorNet

PACKAGE = Path(__file__).parents[1]
_DEPENDS_ON = ("torch", "timm", "onnxruntime")
# The code that has a say in what a prepared model computes.
_CODE = (
    "base.py", "info.py", "models/*.py", "onnx/activation_ranges.py", "onnx/export.py", "onnx/optimize.py",
    "onnx/prepare.py", "onnx/preprocess.py", "onnx/quantize.py", "weights/packing.py",
)  # fmt: skip


class Known(NamedTuple):
    """A detector's facts.

    Attributes:
        info: who it is.
        spec: how an image reaches it.
        host_step: as in `DetectorNet`.
    """

    info: DetectorInfo
    spec: InputSpec
    host_step: str | None


@cache
def code_digest() -> str:
    """12 hexadecimal digits that change with the networks' code and the packages that run them."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _CODE for path in PACKAGE.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    for name in _DEPENDS_ON:
        with contextlib.suppress(metadata.PackageNotFoundError):
            digest.update(f"{name} {metadata.version(name)}".encode())
    return digest.hexdigest()[:12]


def exports_folder() -> Path:
    """Where prepared networks and what is known of them are kept."""
    return cache_folder() / "prepared"


def _path() -> Path:
    return exports_folder() / f"detectors-{code_digest()}.json"


def read_known() -> dict[str, Known] | None:
    """Name -> facts of every bundled detector, in the benchmark's order; None where nothing is kept."""
    try:
        rows = json.loads(_path().read_text(encoding="utf-8"))
        return {row["info"]["name"]: _known(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_known(nets: dict[str, type[DetectorNet]]) -> None:
    """Keep the facts of these networks; nothing happens where the cache cannot be written."""
    rows = []
    for net in nets.values():
        info = asdict(net.info) | {"card_path": net.info.card_path.name}
        rows.append({"info": info, "spec": asdict(net.spec), "host_step": net.host_step})
    with contextlib.suppress(OSError):
        if not _path().exists():
            write_whole(_path(), json.dumps(rows, indent=1).encode())


def _known(row: dict) -> Known:  # type: ignore[type-arg]
    info = row["info"] | {"card_path": PACKAGE / "models" / row["info"]["card_path"]}
    spec = row["spec"] | {key: tuple(row["spec"][key]) for key in ("mean", "std")}
    return Known(DetectorInfo(**info), InputSpec(**spec), row["host_step"])
