"""Tensors out of somebody else's file, without running anything that the file contains."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from genimage_core.utils.errors import UnsafeWeightsError, WeightsError

_NESTED = ("state_dict", "model_state_dict", "model", "net", "module")
_PREFIXES = ("module.", "_orig_mod.")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors by name: safetensors, or torch's own format with weights only.

    Raises:
        UnsafeWeightsError: the file is a pickle with more than tensors in it.
        WeightsError: it is damaged or holds no tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"the checkpoint cannot be read ({type(error).__name__}).", hint="Restore it.", source=path.name
        ) from None
    except Exception as error:  # torch raises pickle, runtime and key errors alike on hostile bytes
        raise _refused(path, str(error)) from None
    return _state(found, path)


def _refused(path: Path, said: str) -> WeightsError:
    """The error for a file that torch would not load with weights only."""
    name = re.search(r"GLOBAL ([\w.]+)", said)
    if name or "TorchScript" in said or "unsupported" in said.lower():
        what = f"it asks to run {name.group(1)}" if name else "it holds code"
        return UnsafeWeightsError(
            f"refused: {what}, and a checkpoint may hold tensors only.",
            hint="Ask its author for safetensors; load no file that runs code.",
            source=path.name,
        )
    return WeightsError("the checkpoint is damaged or of another kind.", hint="Restore it.", source=path.name)


def _state(found: Any, path: Path) -> dict[str, Tensor]:
    """The tensors inside what training scripts save around them."""
    for _ in range(3):
        inner = [found[k] for k in _NESTED if isinstance(found, dict) and isinstance(found.get(k), dict)]
        if not inner:
            break
        found = inner[0]
    state = found if isinstance(found, dict) else {}
    tensors = {_bare(str(key)): value for key, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError("the checkpoint holds no tensors.", hint="Save a state_dict.", source=path.name)
    return tensors


def _bare(key: str) -> str:
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key


def check_onnx(path: Path) -> None:
    """Refuse an ONNX file that is damaged or names files outside of itself.

    Raises:
        UnsafeWeightsError: it reads its tensors from other files.
        WeightsError: it is no ONNX file.
    """
    import onnx
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    try:
        model = onnx.load(str(path), load_external_data=False)
        outside = any(uses_external_data(tensor) for tensor in _get_all_tensors(model))
    except Exception:  # protobuf's errors have no common base that is public
        raise WeightsError("this is no ONNX file.", hint="Restore it.", source=path.name) from None
    if outside:
        raise UnsafeWeightsError(
            "refused: it reads its tensors from other files.",
            hint="Save it as one file.",
            source=path.name,
        )
