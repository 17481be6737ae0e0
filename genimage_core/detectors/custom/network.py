"""From a card to a network: timm, torchvision, transformers or an ONNX file behind the same interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from genimage_core.detectors._timm import timm
from genimage_core.detectors.base import DetectorInfo, DetectorNet, InputSpec
from genimage_core.detectors.custom.checkpoint import check_onnx, read_tensors
from genimage_core.detectors.custom.config import Card
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.weights import store as weights
from genimage_core.utils.errors import WeightsError

_RECIPE = Recipe(
    original="its author's", scaled_down="not trained here", optimizer="adamw", lr=1e-4, weight_decay=0.01
)
_EDGE = 1e-7


class CustomNet(DetectorNet):
    """A network that a card describes; `network_class` makes a subclass of each card."""

    card: ClassVar[Card]
    file: ClassVar[Path]
    recipe = _RECIPE
    # Somebody else's layers need not be exportable to ONNX.
    exportable = False

    def __init__(self) -> None:
        super().__init__()
        self.body = build_body(self.card, self.file)

    def classify(self, prepared: Tensor) -> Tensor:
        """(N, 3, H, W) normalised -> (N,) log-odds of "fake"."""
        out = self.body(prepared)
        return log_odds(getattr(out, "logits", out), self.card)


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


def build_body(card: Card, file: Path) -> nn.Module:
    """An untrained network of the card's kind; an ONNX file comes with its weights.

    Raises:
        WeightsError: no such architecture, or the file cannot be used.
    """
    classes = len(card.classes)
    try:
        if card.source == "onnx":
            return OnnxBody(file, card.layout)
        if card.source == "timm":
            return timm.create_model(str(card.model), pretrained=False, num_classes=classes)
        if card.source == "torchvision":
            from torchvision.models import get_model

            net: nn.Module = get_model(str(card.model), weights=None, num_classes=classes)
            return net
        return _transformers(file)
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{card.source} cannot build {card.model or card.weights} ({type(error).__name__}).",
            hint="Check the architecture's name.",
            source=card.name,
        ) from None


def _transformers(folder: Path, *, trained: bool = False) -> nn.Module:
    """The network that a folder's config.json describes; `trained`: with the tensors of its safetensors."""
    try:
        from transformers import AutoConfig, AutoModelForImageClassification
    except ImportError:
        raise WeightsError(
            "this card needs the package transformers.",
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


def log_odds(out: Tensor, card: Card) -> Tensor:
    """(N, classes) logits or probabilities -> (N,) log-odds of "fake".

    Raises:
        WeightsError: the network has another number of outputs than the card names.
    """
    out = out.float().reshape(len(out), -1)
    if out.shape[1] != len(card.classes):
        raise WeightsError(
            f"the network has {out.shape[1]} outputs, the card names {len(card.classes)}.",
            hint="Name one class for each output.",
            source=card.name,
        )
    if card.output == "probabilities":
        out = out.clamp(_EDGE, 1 - _EDGE)
        out = torch.logit(out) if out.shape[1] == 1 else out.log()
    if len(card.classes) == 1:
        return out[:, 0] if card.classes[0] == "fake" else -out[:, 0]
    fake = torch.tensor([name == "fake" for name in card.classes], device=out.device)
    return out[:, fake].logsumexp(1) - out[:, ~fake].logsumexp(1)


def network_class(card: Card, path: Path) -> type[CustomNet]:
    """The network class of a card; its weights are entered beside the bundled ones.

    Args:
        card: read from `path`.
        path: the card's file; a text with the same name and the ending .md is shown on the About page.
    """
    file = path.parent / card.weights
    facts: dict[str, Any] = {
        "card": card,
        "file": file,
        "info": DetectorInfo(
            name=card.name,
            title=card.title,
            year=card.year,
            paper=card.paper,
            paper_url=card.url,
            reads=card.reads,
            card_path=path.with_suffix(".md"),
            in_benchmark=False,
        ),
        "spec": InputSpec(
            tile=card.tile,
            max_tiles=card.max_tiles,
            paper_resize=card.resize,
            paper_crop=card.tile,
            mean=card.mean,
            std=card.std,
        ),
        "__doc__": f"{card.title}, described by a card.",
    }
    weights.OWN[card.name] = lambda: own_weights(card, file)
    return type(f"Custom_{card.name}", (CustomNet,), facts)


def own_weights(card: Card, file: Path) -> weights.Own:
    """The tensors of a card's checkpoint, named as the network names them, and what identifies them.

    Raises:
        WeightsError: the checkpoint cannot be read, or belongs to another network.
    """
    path = file / "model.safetensors" if card.source == "transformers" else file
    if not path.is_file():
        raise WeightsError("its checkpoint is missing.", hint="Restore it.", source=card.weights)
    entry = {
        "files": [{"path": path.name, "sha256": weights.file_sha256(path), "bytes": path.stat().st_size}],
        "training": {"detector": card.name, "card": card.model_dump(mode="json")},
    }
    return weights.Own(entry, lambda: _named(card, file))


def _named(card: Card, file: Path) -> dict[str, Tensor]:
    if card.source == "onnx":
        return {}
    if card.source == "transformers":  # it renames tensors between versions, and only it knows how
        loaded = _transformers(file, trained=True).state_dict()
        return {f"body.{key}": value for key, value in loaded.items()}
    tensors = read_tensors(file)
    wanted = build_body(card, file).state_dict()
    missing = sorted(set(wanted) - set(tensors))
    other = sorted(set(tensors) - set(wanted))
    shapes = [key for key in set(wanted) & set(tensors) if wanted[key].shape != tensors[key].shape]
    if missing or other or shapes:
        first = [*missing, *other, *sorted(shapes)][0]
        raise WeightsError(
            f"the checkpoint belongs to another network: {len(missing)} tensors are missing, {len(other)} "
            f"unknown, {len(shapes)} of another shape (the first: {first}).",
            hint="Check model and classes in the card.",
            source=card.name,
        )
    return {f"body.{key}": value for key, value in tensors.items()}
