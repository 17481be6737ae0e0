"""Optimiser, learning-rate schedule and loss of a recipe."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from timm.optim import param_groups_layer_decay, param_groups_weight_decay
from torch import Tensor

from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.recipe import Recipe


def freeze_first_blocks(net: DetectorNet, count: int) -> None:
    """Keep a transformer's patch embedding and its first `count` blocks as they are; 0 freezes nothing.

    The backward pass ends where the frozen part begins, which saves its share of the time.
    """
    if count:
        trained = {id(p) for block in net.body.blocks[count:] for p in block.parameters()}
        for parameter in net.body.parameters():
            parameter.requires_grad_(id(parameter) in trained)


def build_optimizer(net: DetectorNet, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; weight decay spares biases, norms and other vectors.

    With layer decay each group carries an `lr_scale` that the loop applies.
    """
    if recipe.layer_decay:
        groups = param_groups_layer_decay(net.body, recipe.weight_decay, layer_decay=recipe.layer_decay)
        trunk = {id(p) for p in net.body.parameters()}
        if rest := [p for p in net.parameters() if id(p) not in trunk]:
            groups.append({"params": rest, "weight_decay": recipe.weight_decay})
    else:
        groups = param_groups_weight_decay(net, recipe.weight_decay)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9, nesterov=True)
    if recipe.optimizer == "adam":
        return torch.optim.Adam(groups, lr=recipe.lr)
    return torch.optim.AdamW(groups, lr=recipe.lr)


def lr_factor(step: int, total: int, warmup_share: float) -> float:
    """Linear warm-up to 1, then half a cosine to 0 (Loshchilov & Hutter 2017, without restarts)."""
    warmup = max(1, round(total * warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))


def loss_fn(log_odds: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Binary cross-entropy of (N,) log-odds of "fake" against (N,) labels in {0, 1}."""
    targets = labels * (1.0 - smoothing) + 0.5 * smoothing
    return F.binary_cross_entropy_with_logits(log_odds.float(), targets)
