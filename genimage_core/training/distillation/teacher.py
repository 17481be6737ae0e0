"""A teacher's view of the training images, made once and read by every student.

Distillation (Hinton et al. 2015; for inner features Romero et al. 2015): a small data set's labels are
one bit an image, but a trained vision transformer also tells what it sees in each 16 px patch. Each
training image is augmented `views` times; the views, the teacher's patch tokens and its log-odds lie in
memory-mapped files, so that students train from random crops of them without running the teacher again.

A teacher can also be a bare trunk that has learned without labels. Then nothing in its tokens comes from any
generator, and the same views serve runs on different generators: each fits its evidence on its own images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file

from genimage_core.datasets import Record
from genimage_core.detectors import build_network
from genimage_core.detectors.recipe import Recipe
from genimage_core.detectors.weights.store import file_sha256, load_state
from genimage_core.training.augment import augment
from genimage_core.training.data import data_hash, read_rgb
from genimage_core.training.plan import bf16_pays
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import TrainingError

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

SIDE, PATCH, WIDTH = 224, 16, 384
GRID = SIDE // PATCH
BLOCK = 8
"""Index of the transformer block whose tokens are kept: in DeiT-S the ninth of twelve, where a linear
probe on the mean token separates real from fake best."""

AUGMENTATION = Recipe(
    original="", scaled_down="", optimizer="adamw", lr=0.0, weight_decay=0.0,
    crop=SIDE, jpeg_quality=(70, 98), blur_p=0.1, rescale_p=0.1,
)  # fmt: skip


@dataclass(frozen=True)
class TeacherViews:
    """What `make_teacher_views` wrote.

    Attributes:
        folder: where it lies.
        ids: image id of each row; the same image comes once a view.
        labels: (N,) uint8, fake=1 and real=0.
        views: (N, 224, 224, 3) RGB uint8.
        tokens: (N, 14, 14, 384) float16, the teacher's patch tokens, each channel with mean 0 and variance 1.
        log_odds: (N,) float32, the teacher's log-odds of "fake".
        evidence: (384,) float32, the direction in which a view's mean token separates fake from real.
        facts: teacher, weights, data hash, seed.
        rows: indices of the views that are used, ascending.
    """

    folder: Path
    ids: list[str]
    labels: np.ndarray
    views: np.ndarray
    tokens: np.ndarray
    log_odds: np.ndarray
    evidence: np.ndarray
    facts: dict[str, Any]
    rows: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> TeacherViews:
        """Open the files of `folder` without reading them.

        Raises:
            TrainingError: the folder holds no complete set.
        """
        try:
            facts = json.loads((folder / "facts.json").read_text())
            arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("views", "tokens", "log_odds")}
        except (OSError, ValueError):
            hint = "Make it with `python -m genimage_core dev teach`."
            raise TrainingError("no teacher's views here.", hint=hint, source=str(folder)) from None
        if facts["done"] < len(facts["ids"]):
            hint = "Run `teach` again, it goes on where it stopped."
            raise TrainingError("the teacher's views are incomplete.", hint=hint, source=str(folder))
        ids, labels = facts.pop("ids"), np.array(facts.pop("labels"), np.uint8)
        evidence = np.array(facts.pop("evidence"), np.float32)
        return cls(folder, ids, labels, evidence=evidence, facts=facts, rows=np.arange(len(ids)), **arrays)

    def of_images(self, ids: Collection[str]) -> TeacherViews:
        """Only the views of some images. A bare trunk's evidence and log-odds are fitted on just these.

        Images of one class alone hold no evidence; it is zero then.

        Args:
            ids: of the images that a student may learn from.

        Raises:
            TrainingError: the teacher has not looked at all of them.
        """
        wanted = set(ids)
        if missing := wanted - set(self.ids):
            raise TrainingError(
                f"{len(missing)} of {len(wanted)} training images are not among the teacher's views.",
                hint="Run `teach` with the same --data, and --train-on `all` or the same.",
                source=str(self.folder),
            )
        rows = np.flatnonzero([image_id in wanted for image_id in self.ids])
        if not self.facts.get("bare_trunk"):
            return replace(self, rows=rows)
        if len(set(self.labels[rows])) < 2:
            return replace(self, rows=rows, evidence=np.zeros(WIDTH, np.float32))
        means = _mean_tokens(self.tokens, rows)
        groups = np.array([self.ids[row] for row in rows])
        log_odds = np.zeros(len(self.ids), np.float32)
        log_odds[rows] = held_out_log_odds(means, self.labels[rows], groups)
        evidence = _direction(means, self.labels[rows], self.tokens)
        return replace(self, rows=rows, log_odds=log_odds, evidence=evidence)


def _open(path: Path, shape: tuple[int, ...], dtype: Any, fresh: bool) -> np.ndarray:
    mode = "w+" if fresh else "r+"
    return np.lib.format.open_memmap(path, mode=mode, dtype=dtype, shape=shape if fresh else None)


def make_teacher_views(
    records: Sequence[Record],
    out: Path,
    *,
    teacher: str = "deit_s",
    weights: str | Path = "default",
    trunk: Path | None = None,
    views: int = 3,
    seed: int = 0,
    batch: int = 32,
    report: Callable[[int, int], None] | None = None,
) -> Path:
    """Augment every record `views` times and let the teacher look at it; resumes after an interruption.

    Args:
        records: of `select_training`.
        out: folder for the files.
        teacher: a detector on a timm vision transformer with 16 px patches and 224 px views.
        weights: of the teacher.
        trunk: safetensors file with the teacher's trunk alone, instead of `weights`; then the views carry no
            log-odds, and who learns from them fits its own (`TeacherViews.of_images`).
        views: augmented views an image.
        seed: of every draw.
        batch: views a forward pass.
        report: called with (done, total).
    """
    net, weights_id = _teacher(teacher, weights, trunk)
    rows = [r for _ in range(views) for r in records]
    facts = {
        "teacher": teacher,
        "weights_sha256": weights_id,
        "block": BLOCK,
        "data_sha256": data_hash(records),
        "augmentation": asdict(AUGMENTATION),
        "seed": seed,
        "ids": [r.image_id for r in rows],
        "labels": [r.label for r in rows],
    }
    if trunk:
        facts["bare_trunk"] = True
    out.mkdir(parents=True, exist_ok=True)
    notes = out / "facts.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    fresh = known.get("ids") != facts["ids"] or known.get("weights_sha256") != weights_id
    done = 0 if fresh else int(known["done"])
    n = len(rows)
    pixels = _open(out / "views.npy", (n, SIDE, SIDE, 3), np.uint8, fresh)
    tokens = _open(out / "tokens.npy", (n, GRID, GRID, WIDTH), np.float16, fresh)
    log_odds = _open(out / "log_odds.npy", (n,), np.float32, fresh)
    mean, std = (
        np.array(known[k], np.float32) if k in known and not fresh else None for k in ("mean", "std")
    )
    for start in range(done, n, batch):
        chunk = range(start, min(start + batch, n))
        for i in chunk:
            image = read_rgb(rows[i].path)
            if image is None:
                raise TrainingError("cannot be decoded.", hint="Remove the file.", source=str(rows[i].path))
            pixels[i] = augment(image, AUGMENTATION, SIDE, np.random.default_rng([seed, 11, i]))
        seen, answers = _look(net, pixels[start : start + len(chunk)])
        if mean is None or std is None:
            # The first batch sets the scale once and for all: it only has to be about right.
            mean, std = seen.mean((0, 1, 2)), seen.std((0, 1, 2)) + 1e-4
        tokens[start : start + len(chunk)] = np.clip((seen - mean) / std, -20, 20)
        log_odds[start : start + len(chunk)] = 0.0 if trunk else answers
        if start // batch % 20 == 19 or chunk[-1] == n - 1:
            facts |= {"mean": mean.tolist(), "std": std.tolist(), "done": chunk[-1] + 1}
            if chunk[-1] == n - 1:
                labels = np.array(facts["labels"])
                facts["evidence"] = [] if trunk else fit_evidence(tokens, labels).tolist()
            fill_text(notes, json.dumps(facts))
            if report:
                report(chunk[-1] + 1, n)
    return out


def _teacher(name: str, weights: str | Path, trunk: Path | None) -> tuple[Any, str]:
    """The teacher's network in eval mode, and the sha256 of where its tensors come from.

    Raises:
        TrainingError: `trunk` lacks a tensor of the network's body.
        WeightsError: `weights` cannot be had.
    """
    net = build_network(name)
    if trunk is None:
        state, weights_id = load_state(name, weights)
        net.load_state_dict(state)
        return net.eval(), weights_id
    given = load_file(trunk)
    # The classifier at the trunk's end is no part of what the tokens go through.
    lacking = [k for k in net.load_state_dict(given, strict=False).missing_keys if ".head" not in k]
    if lacking:
        hint = "`python -m experiments.init.make_init` writes such files."
        raise TrainingError(f"not a trunk of {name}: no {lacking[0]}.", hint=hint, source=str(trunk))
    return net.eval(), file_sha256(trunk)


def fit_evidence(tokens: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The direction in token space that tells fake from real; a patch's evidence gets variance 1.

    A logistic regression on each view's mean token; its product with one patch's token says how much
    that patch speaks for "fake".

    Args:
        tokens: (N, 14, 14, 384). labels: (N,) in {0, 1}.

    Returns:
        (384,) float32.
    """
    return _direction(_mean_tokens(tokens, np.arange(len(labels))), labels, tokens)


def held_out_log_odds(means: np.ndarray, labels: np.ndarray, images: np.ndarray) -> np.ndarray:
    """What a logistic regression on mean tokens says of each view, fitted without the view's image.

    Args:
        means: (N, 384). labels: (N,) in {0, 1}. images: (N,) id of each view's image.

    Returns:
        (N,) log-odds of "fake", both classes counting the same.
    """
    from sklearn.model_selection import GroupKFold, cross_val_predict

    folds = GroupKFold(5)
    return np.asarray(
        cross_val_predict(_head(), means, labels, groups=images, cv=folds, method="decision_function")
    )


def _head() -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.01, max_iter=500, class_weight="balanced")


def _mean_tokens(tokens: np.ndarray, rows: np.ndarray, batch: int = 256) -> np.ndarray:
    """(N, 14, 14, 384) tokens -> (R, 384) float32 means of the views `rows`, read piece by piece."""
    starts = range(0, len(rows), batch)
    return np.concatenate([tokens[rows[s : s + batch]].astype(np.float32).mean((1, 2)) for s in starts])


def _direction(means: np.ndarray, labels: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    direction = _head().fit(means, labels).coef_[0]
    spread = (tokens[:: max(1, len(tokens) // 200)].astype(np.float32) @ direction).std()
    return (direction / max(float(spread), 1e-6)).astype(np.float32)


@torch.inference_mode()
def _look(net: Any, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 224, 224, 3) uint8 -> (N, 14, 14, 384) tokens of block `BLOCK` and (N,) log-odds, float32."""
    x = torch.from_numpy(np.ascontiguousarray(views)).permute(0, 3, 1, 2).float().div_(255.0)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16_pays(torch.device("cpu"))):
        last, inner = net.body.forward_intermediates(net.prepare(x), indices=[BLOCK], output_fmt="NLC")
        answers = net.decide(net.body.forward_head(last, pre_logits=True))
    seen = inner[0].float().reshape(-1, GRID, GRID, WIDTH)
    return seen.numpy(), answers.float().numpy()
