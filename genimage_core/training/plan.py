"""What a training run consists of, and whether bfloat16 pays on the device at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


def backbone_options(backbone: str) -> dict[str, Any]:
    """What a network's class is called with for another backbone; "" keeps the detector's own."""
    return {"backbone": backbone} if backbone else {}


@dataclass(frozen=True)
class TrainingPlan:
    """What to train, on what, and where to put it.

    Attributes:
        detector: registry name.
        data: root of a data set in GenImage's layout.
        train_on: generators separated by commas, `all`, or `none`: real images alone, no labels, a teacher.
        out: folder of the run: checkpoint, log, weights and manifest.
        only: text file with the ids of the images to train on, one a line, or None for all.
        reals: `pool` (all real training images) or `own` (those of the named generators).
        steps: optimiser steps; None takes the recipe's.
        lr: peak learning rate; None takes the recipe's.
        cutmix: probability that a step's crops are mixed by CutMix; None takes the recipe's.
        seed: of weights, order and augmentation.
        backbone: another timm vision transformer than the detector's own, or "".
        init: safetensors file, or folder of a weight set, whose fitting tensors the network starts from.
        init_note: where `init` comes from, in words.
        teacher: folder written by `teach`; the student learns from its views instead of `data`, or None.
        teacher_weight: of the loss on the teacher's tokens.
        balance: repeat the images of small generators (see `balanced`).
        favour: images of these folders are drawn so many times as often, name -> times.
        device: `auto`, `cpu`, `cuda`.
        workers: processes that decode and augment.
        threads: CPU threads of the network; 0 leaves torch's default.
        save_every: seconds between checkpoints.
        validate_every: steps between looks at the validation split; 0 for none.
        command: the command line, for the manifest.
    """

    detector: str
    data: Path
    train_on: str
    out: Path
    only: Path | None = None
    reals: str = "pool"
    steps: int | None = None
    lr: float | None = None
    cutmix: float | None = None
    seed: int = 0
    backbone: str = ""
    init: Path | None = None
    init_note: str = ""
    teacher: Path | None = None
    teacher_weight: float = 1.0
    balance: bool = False
    favour: Mapping[str, int] = field(default_factory=dict)
    device: str = "auto"
    workers: int = 1
    threads: int = 0
    save_every: float = 120.0
    validate_every: int = 250
    command: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """What the network's class is called with."""
        return backbone_options(self.backbone)


def bf16_pays(device: torch.device) -> bool:
    """Whether bfloat16 arithmetic is native there (GPUs since 2020; CPUs with AVX512_BF16 or AMX)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported() and has_native_bf16()


def has_native_bf16() -> bool:
    """Whether the CPU has bfloat16 instructions; emulated ones are slower than float32."""
    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:
        return False
