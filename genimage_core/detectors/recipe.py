"""What a detector's training consists of; each detector's file states its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """One detector's training recipe.

    Attributes:
        original: the paper's (or its code's) recipe in words.
        scaled_down: what this project changes for small data and small machines, in words.
        optimizer: `sgd` (Nesterov momentum .9), `adam` or `adamw`.
        lr: peak learning rate; linear warm-up, then cosine to zero.
        weight_decay: decoupled for adamw, L2 otherwise; not applied to biases and norms.
        batch_size: images a step, half of them fake.
        steps: optimiser steps of a full run.
        crop: side in px of the native-resolution training crop.
        final_crop: side in px during the last `final_share` of the steps (None: as `crop`).
        final_share: share of the steps trained at `final_crop`, in [0, 1].
        warmup_share: share of the steps that warm the learning rate up, in [0, 1].
        blur_p: probability of a Gaussian blur with sigma ~ U(0, 3).
        jpeg_quality: range of the re-encoding quality that both classes go through.
        encode_p: probability of the re-encoding.
        webp_share: share of the re-encodings done as WebP instead of JPEG, in [0, 1].
        rescale_p: probability of a rescale before the crop.
        rescale_range: range of its factor, uniform.
        erasing_p: probability of random erasing, after the crop.
        cutmix_p: probability that a step's crops are mixed by CutMix.
        label_smoothing: in [0, 1).
        clip_grad: largest gradient norm, or None.
        layer_decay: factor on the learning rate for each layer further from the head, or None; keeps
            what a pretrained trunk knows while the head learns fast.
        frozen_blocks: so many first blocks of a transformer (and its patch embedding) keep their weights.
    """

    original: str
    scaled_down: str
    optimizer: Literal["sgd", "adam", "adamw"]
    lr: float
    weight_decay: float
    batch_size: int = 32
    steps: int = 1000
    crop: int = 128
    final_crop: int | None = None
    final_share: float = 0.15
    warmup_share: float = 0.05
    blur_p: float = 0.1
    jpeg_quality: tuple[int, int] = (60, 98)
    encode_p: float = 1.0
    webp_share: float = 0.1
    rescale_p: float = 0.1
    rescale_range: tuple[float, float] = (0.7, 1.3)
    erasing_p: float = 0.0
    cutmix_p: float = 0.0
    label_smoothing: float = 0.0
    clip_grad: float | None = 5.0
    layer_decay: float | None = None
    frozen_blocks: int = 0

    def crop_at(self, step: int, total_steps: int) -> int:
        """The crop's side in px at `step` of a run of `total_steps`."""
        late = step >= total_steps * (1.0 - self.final_share)
        return self.final_crop if self.final_crop and late else self.crop
