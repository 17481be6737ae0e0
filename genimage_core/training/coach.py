"""Feature distillation inside the training loop: teacher, projector and their state."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimage_core.detectors.base import DetectorNet
from genimage_core.training.data import TrainingSamples
from genimage_core.training.distill import COMPONENTS, Teacher
from genimage_core.training.plan import TrainingPlan, bf16_pays

FIT_VIEWS = 1280
BATCH = 32


class Coach:
    """Holds the frozen teacher and the linear map from the student's features to the teacher's.

    Args:
        plan: names the teacher's file.
        net: the student; its recipe's crop sets the teacher's input size.
        optimizer: gets the map's parameters as a group of its own.
        device: where all of it runs.
    """

    def __init__(
        self, plan: TrainingPlan, net: DetectorNet, optimizer: torch.optim.Optimizer, device: torch.device
    ) -> None:
        assert plan.teacher is not None
        self.device, self.seed = device, plan.seed
        self.teacher = Teacher(plan.teacher, net.recipe.crop).to(device)
        self.ready = False
        width = _feature_width(net, device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            self.projector = nn.Linear(width, COMPONENTS).to(device)
        optimizer.add_param_group({"params": list(self.projector.parameters()), "weight_decay": 0.0})

    def get_ready(self, samples: TrainingSamples) -> None:
        """Fit the teacher's whitening on views from all over the run."""
        picks = np.linspace(0, len(samples) * (1 - samples.recipe.final_share) - 1, FIT_VIEWS).astype(int)
        batches = (picks[i : i + BATCH] for i in range(0, len(picks), BATCH))
        with self._autocast():
            self.teacher.fit(
                torch.stack([samples[int(k)][0] for k in b]).to(self.device) / 255.0 for b in batches
            )
        self.ready = True

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=bf16_pays(self.device))

    def loss(self, x: Tensor, features: Tensor) -> Tensor:
        """Mean squared error of the predicted whitened teacher features; 1 is no better than chance."""
        with self._autocast():
            targets = self.teacher(x)
        predicted = self.projector(features.float())[:, : targets.shape[1]]
        return F.mse_loss(predicted, targets)

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs."""
        return {
            "projector": self.projector.state_dict(),
            "centre": self.teacher.centre,
            "project": self.teacher.project,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        self.projector.load_state_dict(state["projector"])
        self.teacher.centre, self.teacher.project = state["centre"], state["project"]
        self.ready = True


def _feature_width(net: DetectorNet, device: torch.device) -> int:
    """Number of features in front of the decision."""
    was_training, side = net.training, net.recipe.crop
    net.eval()
    with torch.inference_mode():
        width = net.embed(net.prepare(torch.zeros(1, 3, side, side, device=device))).shape[1]
    net.train(was_training)
    return int(width)
