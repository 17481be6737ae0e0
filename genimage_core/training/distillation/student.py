"""Distillation: a student learns from crops of a teacher's views, patch by patch and as a whole."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import expit
from torch import Tensor, nn
from torch.utils.data import Dataset

from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.recipe import Recipe
from genimage_core.training.distillation.teacher import PATCH, SIDE, WIDTH, TeacherViews

Lesson = tuple[Tensor, float, float, Tensor]


class DistilledSamples(Dataset[Lesson]):
    """Sample k: fake when k is odd; every view of a class once before any comes again.

    Where the lessons hold one class only, all samples are of that class.

    A sample is (crop, label, teacher's P(fake), teacher's tokens): (3, S, S) uint8, a float in {0, 1}, a
    float in [0, 1], and (S/16, S/16, 384) float32. Crops start on the teacher's patch grid.

    Args:
        lessons: of `make_teacher_views`.
        recipe: the student's recipe; its crops are multiples of 16.
        total_steps: of the whole run.
        seed: of every draw.
    """

    def __init__(self, lessons: TeacherViews, recipe: Recipe, total_steps: int, seed: int) -> None:
        self.lessons, self.recipe, self.total_steps, self.seed = lessons, recipe, total_steps, seed
        used = lessons.labels[lessons.rows]
        self.by_label = [lessons.rows[used == label] for label in (0, 1)]
        self.classes = [label for label in (0, 1) if len(self.by_label[label])]
        self._order = lru_cache(maxsize=4)(self._shuffled)

    def __len__(self) -> int:
        return self.total_steps * self.recipe.batch_size

    def _shuffled(self, label: int, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, label, epoch]).permutation(self.by_label[label])

    def crop_at(self, step: int) -> int:
        """The crop's side in px at `step`, a multiple of the teacher's patch."""
        return self.recipe.crop_at(step, self.total_steps) // PATCH * PATCH

    def __getitem__(self, k: int) -> Lesson:
        place, turn = divmod(k, len(self.classes))
        label = self.classes[turn]
        epoch, i = divmod(place, len(self.by_label[label]))
        row = self._order(label, epoch)[i]
        rng = np.random.default_rng([self.seed, 13, k])
        patches = self.crop_at(k // self.recipe.batch_size) // PATCH
        y, x = rng.integers(0, SIDE // PATCH - patches + 1, 2)
        top, left, side = y * PATCH, x * PATCH, patches * PATCH
        view = self.lessons.views[row, top : top + side, left : left + side]
        tokens = self.lessons.tokens[row, y : y + patches, x : x + patches]
        if rng.random() < 0.5:
            view, tokens = view[:, ::-1], tokens[:, ::-1]
        p_teacher = float(expit(self.lessons.log_odds[row]))
        pixels = torch.from_numpy(np.ascontiguousarray(view)).permute(2, 0, 1)
        return pixels, float(label), p_teacher, torch.from_numpy(tokens.astype(np.float32))


class TokenLoss(nn.Module):
    """How far a student's inner features are from the teacher's tokens, through one linear map.

    The error along the evidence counts extra: most of a token says what the picture shows, and only a
    small part of it whether it is fake. The map is thrown away after training. Only networks that name a
    `dense_layer` have one.

    Args:
        net: the student.
        evidence: (384,) direction of the evidence, of `TeacherViews`.
    """

    evidence: Tensor

    def __init__(self, net: DetectorNet, evidence: np.ndarray) -> None:
        super().__init__()
        if net.dense_layer is None:
            raise ValueError(f"{net.info.name} names no layer for distillation")
        self.layout = net.dense_layer.layout
        self.map = nn.Linear(net.dense_layer.channels, WIDTH)
        self.register_buffer("evidence", torch.tensor(evidence), persistent=False)
        self.features: Tensor | None = None
        net.get_submodule(net.dense_layer.path).register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self.features = output if self.training else None

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, h, w, 384) standardised tokens -> the loss of the last forward pass."""
        assert self.features is not None, "the student has to run first"
        seen = self.features.float()
        self.features = None
        if self.layout == "NC":
            return self._distance(self.map(seen) - tokens.mean((1, 2)))
        if self.layout == "NHWC":
            seen = seen.permute(0, 3, 1, 2)
        if seen.shape[-2:] != tokens.shape[1:3]:
            size = (tokens.shape[1], tokens.shape[2])
            seen = F.interpolate(seen, size, mode="bilinear", align_corners=False)
        return self._distance(self.map(seen.permute(0, 2, 3, 1)) - tokens)

    def _distance(self, error: Tensor) -> Tensor:
        """(..., 384) errors -> the mean square, plus that along the evidence."""
        return error.square().mean() + (error @ self.evidence).square().mean()


def soft_labels(labels: Tensor, teacher: Tensor) -> Tensor:
    """(N,) labels and (N,) teacher's P(fake) -> targets halfway between what is true and what is visible."""
    return 0.5 * (labels + teacher)
