"""The one training loop: deterministic, resumable, stoppable, with a manifest beside the weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader

from genimage_core.datasets import Record, scan_dataset
from genimage_core.detectors import build_network, detector_class
from genimage_core.detectors.base import DetectorNet
from genimage_core.detectors.onnx.export import optimise
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.registry import resolve_device
from genimage_core.detectors.weights.store import file_sha256, load_state
from genimage_core.training.augment import cutmix
from genimage_core.training.data import (
    TrainingSamples,
    balanced,
    data_hash,
    favoured,
    only_listed,
    read_rgb,
    select_training,
)
from genimage_core.training.distillation.student import DistilledSamples, TokenLoss, soft_labels
from genimage_core.training.distillation.teacher import TeacherViews
from genimage_core.training.optim import build_optimizer, freeze_first_blocks, loss_fn, lr_factor
from genimage_core.training.plan import TrainingPlan, bf16_pays
from genimage_core.utils.atomic_write import fill_text, fill_whole
from genimage_core.utils.errors import TrainingError
from genimage_core.utils.stop import Stop
from genimage_core.utils.versions import versions

Report = Callable[[dict[str, Any]], None]


def start_from(net: DetectorNet, detector: str, path: Path) -> tuple[int, str]:
    """Copy tensors of equal name and shape from a safetensors file, or from a weight set's folder.

    Returns:
        How many were taken, and the sha256 of where they came from.

    Raises:
        TrainingError: none fits.
        WeightsError: the folder has no weights for this detector.
    """
    own = net.state_dict()
    state, sha256 = load_state(detector, path) if path.is_dir() else (load_file(path), file_sha256(path))
    given = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if not given:
        raise TrainingError("no tensor of this file fits the network.", source=str(path))
    net.load_state_dict(given, strict=False)
    return len(given), sha256


@torch.inference_mode()
def validation_auroc(
    net: DetectorNet, records: Sequence[Record], crop: int, device: torch.device, limit: int = 320
) -> float:
    """AUROC on centre crops of at most `limit` evenly taken records, a quick look during training."""
    from sklearn.metrics import roc_auc_score

    net.eval()
    step = max(1, len(records) // limit)
    scores, labels = [], []
    batch: list[np.ndarray] = []
    from genimage_core.detectors.tiling import paper_view

    def flush() -> None:
        x = torch.from_numpy(np.stack(batch)).to(device).permute(0, 3, 1, 2).float().div_(255.0)
        scores.extend(net(x.contiguous(memory_format=torch.channels_last)).float().tolist())
        batch.clear()

    for record in records[::step]:
        image = read_rgb(record.path)
        if image is None:
            continue
        batch.append(paper_view(image, None, crop))
        labels.append(record.label)
        if len(batch) == 16:
            flush()
    if batch:
        flush()
    net.train()
    return float(roc_auc_score(labels, scores)) if len(set(labels)) == 2 else float("nan")


class Trainer:
    """One run; `Trainer(plan).run()` starts it or goes on where it stopped."""

    def __init__(self, plan: TrainingPlan, report: Report | None = None) -> None:
        self.plan = plan
        self.report = report or (lambda _: None)
        if plan.threads:
            torch.set_num_threads(plan.threads)
        recipe = detector_class(plan.detector).recipe
        self.recipe: Recipe = replace(
            recipe,
            steps=plan.steps or recipe.steps,
            lr=plan.lr or recipe.lr,
            cutmix_p=recipe.cutmix_p if plan.cutmix is None else plan.cutmix,
        )
        self.device = resolve_device(plan.device)
        records = scan_dataset(plan.data)
        self.training = select_training(records, plan.train_on, plan.reals)
        if plan.only:
            self.training = only_listed(self.training, plan.only)
        fakes = {r.generator for r in self.training if r.label == 1}
        # The manifest's hash and counts are of the data; repeating changes only how often they are drawn.
        self.drawn = favoured(balanced(self.training) if plan.balance else self.training, plan.favour)
        self.validation = [r for r in records if r.split == "val" and r.generator in fakes]
        self.net = build_network(plan.detector, seed=plan.seed, **plan.options)
        self.init_tensors, self.init_sha256 = 0, None
        if plan.init:
            self.init_tensors, self.init_sha256 = start_from(self.net, plan.detector, plan.init)
        optimise(self.net, self.device)
        freeze_first_blocks(self.net, self.recipe.frozen_blocks)
        self.optimizer = build_optimizer(self.net, self.recipe)
        self.labelled = bool(fakes)
        if not (self.labelled or (plan.teacher and self.net.dense_layer)):
            raise TrainingError(
                "without fakes there is nothing to learn but a teacher's tokens.",
                hint="Name generators, or give --teacher to a detector that can learn from it.",
                source=plan.train_on,
            )
        self.lessons: TeacherViews | None = None
        if plan.teacher:
            if self.recipe.cutmix_p:
                raise TrainingError(
                    "a teacher's tokens do not fit mixed crops.",
                    hint="Leave out --cutmix or --teacher.",
                    source=str(plan.teacher),
                )
            self.lessons = TeacherViews.load(plan.teacher).of_images({r.image_id for r in self.training})
        self.token_loss: TokenLoss | None = None
        if self.lessons and self.net.dense_layer:
            self.token_loss = TokenLoss(self.net, self.lessons.evidence).to(self.device)
            self.optimizer.add_param_group({"params": self.token_loss.parameters(), "weight_decay": 0.0})
        self.step, self.seconds = 0, 0.0
        plan.out.mkdir(parents=True, exist_ok=True)
        self.checkpoint = plan.out / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()

    def _identity(self) -> dict[str, Any]:
        return {
            "detector": self.plan.detector,
            "options": self.plan.options,
            "train_on": self.plan.train_on,
            "reals": self.plan.reals,
            "balanced": self.plan.balance,
            "favoured": dict(self.plan.favour) or None,
            "only_sha256": file_sha256(self.plan.only) if self.plan.only else None,
            "seed": self.plan.seed,
            "files": len(self.training),
            "recipe": asdict(self.recipe),
            "teacher": self._teacher_facts(),
        }

    def _teacher_facts(self) -> dict[str, Any] | None:
        if self.lessons is None:
            return None
        facts = {k: v for k, v in self.lessons.facts.items() if k not in ("mean", "std", "done")}
        return facts | {"views": len(self.lessons.rows), "token_loss_weight": self.plan.teacher_weight}

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        own = json.loads(json.dumps(self._identity()))
        if own != {key: state["identity"].get(key) for key in own}:
            raise TrainingError(
                "this folder holds another run (other detector, data, seed or recipe).",
                hint="Choose another --out, or delete the folder to start over.",
                source=str(self.plan.out),
            )
        self.net.load_state_dict(state["net"])
        if self.token_loss:
            self.token_loss.load_state_dict(state["token_loss"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]

    def _save(self) -> None:
        state = {
            "identity": json.loads(json.dumps(self._identity())),
            "net": self.net.state_dict(),
            "token_loss": self.token_loss.state_dict() if self.token_loss else None,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        fill_whole(self.checkpoint, lambda p: torch.save(state, p))

    def _log(self, row: dict[str, Any]) -> None:
        with (self.plan.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        self.report(row)

    def _samples(self) -> TrainingSamples | DistilledSamples:
        recipe = self.recipe
        if self.lessons:
            return DistilledSamples(self.lessons, recipe, recipe.steps, self.plan.seed)
        return TrainingSamples(self.drawn, recipe, recipe.steps, self.plan.seed)

    def _update(self, x: torch.Tensor, labels: torch.Tensor, *lesson: torch.Tensor) -> float:
        recipe = self.recipe
        factor = lr_factor(self.step, recipe.steps, recipe.warmup_share)
        for group in self.optimizer.param_groups:
            group["lr"] = factor * recipe.lr * group.get("lr_scale", 1.0)
        x = x.to(self.device, non_blocking=True).float().div_(255.0)
        x, labels = cutmix(x, labels.to(self.device).float(), recipe.cutmix_p)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16_pays(self.device)):
            log_odds = self.net(x)
        if lesson:
            labels = soft_labels(labels, lesson[0].to(self.device).float())
        loss = loss_fn(log_odds, labels, recipe.label_smoothing)
        total = loss
        if self.token_loss:
            tokens = self.plan.teacher_weight * self.token_loss(lesson[1].to(self.device))
            total = loss + tokens if self.labelled else tokens
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        if recipe.clip_grad:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip_grad)
        self.optimizer.step()
        return loss.item() if self.labelled else total.item()

    def run(self) -> Path | None:
        """Train to the end; returns the weights' path, or None when stopped before (resumable)."""
        with Stop() as stop:
            return self._run(stop)

    def _run(self, stop: Stop) -> Path | None:
        plan, recipe = self.plan, self.recipe
        samples = self._samples()
        loader = DataLoader(
            samples,
            batch_size=recipe.batch_size,
            sampler=range(self.step * recipe.batch_size, len(samples)),
            num_workers=plan.workers,
            prefetch_factor=4 if plan.workers else None,
        )
        self.net.train()
        saved = tick = time.monotonic()
        losses: list[float] = []
        for x, labels, *lesson in loader:
            # Seeded by the step, so that dropout after a resume is what it would have been.
            torch.manual_seed(plan.seed * 1_000_003 + self.step)
            losses.append(self._update(x, labels, *lesson))
            self.step += 1
            now = time.monotonic()
            self.seconds += now - tick
            tick = now
            if self.step % 20 == 0 or self.step == recipe.steps:
                self._log(self._progress(losses))
                losses.clear()
            if (
                plan.validate_every
                and self.validation
                and self.step % plan.validate_every == 0
                and self.step < recipe.steps
            ):
                crop = samples.crop_at(self.step)
                auroc = validation_auroc(self.net, self.validation, crop, self.device)
                self._log({"step": self.step, "val_auroc": round(auroc, 4)})
            # Read once: a signal between saving and leaving must not lose the steps since the last save.
            stopping = stop.asked
            if stopping or now - saved > plan.save_every:
                self._save()
                saved = time.monotonic()
            if stopping:
                return None
        self._save()
        return self._finish()

    def _progress(self, losses: list[float]) -> dict[str, Any]:
        left = (self.recipe.steps - self.step) * self.seconds / max(1, self.step)
        return {
            "step": self.step,
            "steps": self.recipe.steps,
            "loss": round(float(np.mean(losses)), 4),
            "images_per_s": round(self.step * self.recipe.batch_size / max(1e-9, self.seconds), 1),
            "minutes_left": round(left / 60, 1),
        }

    def _finish(self) -> Path:
        weights = self.plan.out / "weights.safetensors"
        state = {k: v.contiguous().cpu() for k, v in self.net.state_dict().items()}
        fill_whole(weights, lambda p: save_file(state, p))
        manifest = {
            **self._identity(),
            "data_sha256": data_hash(self.training),
            "fakes": sum(r.label for r in self.training),
            "steps_done": self.step,
            "seconds": round(self.seconds, 1),
            "started_from": self.plan.init_note or (str(self.plan.init) if self.plan.init else "random"),
            "init_tensors": self.init_tensors,
            "init_sha256": self.init_sha256,
            "device": str(self.device),
            "versions": versions(),
            "command": self.plan.command,
        }
        text = json.dumps(manifest, indent=1)
        fill_text(self.plan.out / "manifest.json", text)
        return weights
