"""From a config to a network: timm, torchvision, transformers or an ONNX file behind the same interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.custom.checkpoint import check_onnx, read_tensors
from genimage_core.detectors.custom.config import DetectorConfig
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.weights import store as weights
from genimage_core.utils.errors import WeightsError

_RECIPE = Recipe(
    original="its author's", scaled_down="not trained here", optimizer="adamw", lr=1e-4, weight_decay=0.01
)
_EDGE = 1e-7


class CustomNet(DetectorNet):
    """A network that a config describes; `network_class` makes a subclass of each config."""

    config: ClassVar[DetectorConfig]
    file: ClassVar[Path]
    recipe = _RECIPE
    # Somebody else's layers need not be exportable to ONNX.
    exportable = False

    def __init__(self) -> None:
        super().__init__()
        self.body = build_body(self.config, self.file)

    def classify(self, prepared: Tensor) -> Tensor:
        """(N, 3, H, W) normalised -> (N,) log-odds of "fake"."""
        out = self.body(prepared)
        return log_odds(getattr(out, "logits", out), self.config)


class OnnxBody(nn.Module):
    """An ONNX file as a module; it has no parameters and runs on the CPU."""

    def __init__(self, path: Path, layout: str) -> None:
        import onnxruntime

        super().__init__()
        check_onnx(path)
        try:
            self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception:  # its errors have no public base
            raise WeightsError(
                "ONNX Runtime cannot run it.", hint="Export it again.", source=path.name
            ) from None
        if len(self.session.get_inputs()) != 1:
            raise WeightsError("it must have one input.", hint="Export it again.", source=path.name)
        self.layout, self.input = layout, self.session.get_inputs()[0]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, classes)."""
        views = x.permute(0, 2, 3, 1) if self.layout == "NHWC" else x
        array = np.ascontiguousarray(views.detach().cpu().numpy(), np.float32)
        fixed = isinstance(self.input.shape[0], int)  # an export for one view takes one view at a time
        parts = [array[i : i + 1] for i in range(len(array))] if fixed else [array]
        found = [self.session.run(None, {self.input.name: part})[0] for part in parts]
        return torch.from_numpy(np.concatenate(found).reshape(len(array), -1)).to(x.device)


def build_body(config: DetectorConfig, file: Path) -> nn.Module:
    """An untrained network of the config's kind; an ONNX file comes with its weights.

    Raises:
        WeightsError: no such architecture, or the file cannot be used.
    """
    classes = len(config.classes)
    try:
        if config.source == "onnx":
            return OnnxBody(file, config.layout)
        if config.source == "timm":
            return timm.create_model(str(config.model), pretrained=False, num_classes=classes)
        if config.source == "torchvision":
            from torchvision.models import get_model

            net: nn.Module = get_model(str(config.model), weights=None, num_classes=classes)
            return net
        return _transformers(file)
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{config.source} cannot build {config.model or config.weights} ({type(error).__name__}).",
            hint="Check the architecture's name.",
            source=config.name,
        ) from None


def _transformers(folder: Path, *, trained: bool = False) -> nn.Module:
    """The network that a folder's config.json describes; `trained`: with the tensors of its safetensors."""
    try:
        from transformers import AutoConfig, AutoModelForImageClassification
    except ImportError:
        raise WeightsError(
            "this config needs the package transformers.",
            hint="Install it: pip install transformers.",
            source=folder.name,
        ) from None
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        if not trained:
            config = AutoConfig.from_pretrained(folder, **safe)
            net: nn.Module = AutoModelForImageClassification.from_config(config, trust_remote_code=False)
            return net
        net, told = AutoModelForImageClassification.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **safe
        )
    except OSError:
        raise WeightsError(
            "its folder lacks config.json or model.safetensors.",
            hint="Copy the repository's files.",
            source=folder.name,
        ) from None
    if lacks := sorted(told["missing_keys"]) + sorted(map(str, told["mismatched_keys"])):
        raise WeightsError(
            f"the checkpoint belongs to another network ({len(lacks)} tensors do not fit: {lacks[0]}...).",
            hint="Copy config.json and model.safetensors from the same repository.",
            source=folder.name,
        )
    return net


def log_odds(out: Tensor, config: DetectorConfig) -> Tensor:
    """(N, classes) logits or probabilities -> (N,) log-odds of "fake".

    Raises:
        WeightsError: the network has another number of outputs than the config names.
    """
    out = out.float().reshape(len(out), -1)
    if out.shape[1] != len(config.classes):
        raise WeightsError(
            f"the network has {out.shape[1]} outputs, the config names {len(config.classes)}.",
            hint="Name one class for each output.",
            source=config.name,
        )
    if config.output == "probabilities":
        out = out.clamp(_EDGE, 1 - _EDGE)
        out = torch.logit(out) if out.shape[1] == 1 else out.log()
    if len(config.classes) == 1:
        return out[:, 0] if config.classes[0] == "fake" else -out[:, 0]
    fake = torch.tensor([name == "fake" for name in config.classes], device=out.device)
    return out[:, fake].logsumexp(1) - out[:, ~fake].logsumexp(1)


def network_class(config: DetectorConfig, path: Path) -> type[CustomNet]:
    """The network class of a config; its weights are entered beside the bundled ones.

    Args:
        config: read from `path`.
        path: the config's file; a text with the same name and the ending .md is shown on the About page.
    """
    file = path.parent / config.weights
    facts: dict[str, Any] = {
        "config": config,
        "file": file,
        "info": DetectorInfo(
            name=config.name,
            title=config.title,
            year=config.year,
            paper=config.paper,
            paper_url=config.url,
            reads=config.reads,
            card_path=path.with_suffix(".md"),
            in_benchmark=False,
        ),
        "spec": InputSpec(
            tile=config.tile,
            max_tiles=config.max_tiles,
            paper_resize=config.resize,
            paper_crop=config.tile,
            mean=config.mean,
            std=config.std,
        ),
        "__doc__": f"{config.title}, described by a config.",
    }
    weights.OWN[config.name] = lambda: own_weights(config, file)
    return type(f"Custom_{config.name}", (CustomNet,), facts)


def own_weights(config: DetectorConfig, file: Path) -> weights.Own:
    """The tensors of a config's checkpoint, named as the network names them, and what identifies them.

    Raises:
        WeightsError: the checkpoint cannot be read, or belongs to another network.
    """
    path = file / "model.safetensors" if config.source == "transformers" else file
    if not path.is_file():
        raise WeightsError("its checkpoint is missing.", hint="Restore it.", source=config.weights)
    entry = {
        "files": [{"path": path.name, "sha256": weights.file_sha256(path), "bytes": path.stat().st_size}],
        "training": {"detector": config.name, "config": config.model_dump(mode="json")},
    }
    return weights.Own(entry, lambda: _named(config, file))


def _named(config: DetectorConfig, file: Path) -> dict[str, Tensor]:
    if config.source == "onnx":
        return {}
    if config.source == "transformers":  # it renames tensors between versions, and only it knows how
        loaded = _transformers(file, trained=True).state_dict()
        return {f"body.{key}": value for key, value in loaded.items()}
    tensors = read_tensors(file)
    wanted = build_body(config, file).state_dict()
    missing = sorted(set(wanted) - set(tensors))
    other = sorted(set(tensors) - set(wanted))
    shapes = [key for key in set(wanted) & set(tensors) if wanted[key].shape != tensors[key].shape]
    if missing or other or shapes:
        first = [*missing, *other, *sorted(shapes)][0]
        raise WeightsError(
            f"the checkpoint belongs to another network: {len(missing)} tensors are missing, {len(other)} "
            f"unknown, {len(shapes)} of another shape (the first: {first}).",
            hint="Check model and classes in the config.",
            source=config.name,
        )
    return {f"body.{key}": value for key, value in tensors.items()}
