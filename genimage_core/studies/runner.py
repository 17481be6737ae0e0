"""The steps of a study: train, score, export. Each is skipped where its result is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimage_core.datasets import Record, list_generators, scan_dataset
from genimage_core.datasets import data_protocol as named_protocol
from genimage_core.detectors import detector_class
from genimage_core.evaluation.config import Wanted, set_up
from genimage_core.evaluation.engine.run import run
from genimage_core.evaluation.export import export_table
from genimage_core.evaluation.report import write_report
from genimage_core.evaluation.select import select_images
from genimage_core.training.heads.fit import HeadPlan, fit_head_run
from genimage_core.training.heads.score import score_head
from genimage_core.training.loop import Trainer
from genimage_core.training.plan import TrainingPlan
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import EvaluationError
from genimage_core.utils.stop import Stop

Report = Callable[[str], None]
DRAW_SEED = 42
"""Of the draw where `limit` narrows the images down, whatever the training's seed is."""


class StudyStoppedError(Exception):
    """Somebody stopped a step; the same command goes on from there."""


@dataclass(frozen=True)
class Lab:
    """Where a study finds things and how long its runs are.

    Attributes:
        data: root of the data set.
        runs: folder for everything that is only needed on the way.
        out: folder of measured results; tables go to `tables`, studies to `studies` in it.
        init: the eighth detector's trunk, a safetensors file.
        features: folder of its feature cache.
        start: safetensors file that every other network starts from.
        teacher: folder written by `teach` of a bare trunk, for the networks that can learn from it.
        trained: folder with finished runs of Task 1, one a detector, taken instead of new ones.
        steps: of every training run; None takes the recipe's.
        limit: validation images a class and generator; None: all.
        seed: of every draw.
        threads: of the networks; 0: torch's default.
        command: how the study was started, for manifests.
        report: told of each step.
    """

    data: Path
    runs: Path
    out: Path
    init: Path | None = None
    features: Path | None = None
    start: Path | None = None
    teacher: Path | None = None
    trained: Path | None = None
    steps: int | None = None
    limit: int | None = None
    seed: int = 0
    threads: int = 0
    command: str = ""
    report: Report = print

    def records(self) -> list[Record]:
        """All images of the data set."""
        return scan_dataset(self.data)

    def generators(self) -> list[str]:
        """Those with training images."""
        return list_generators(self.records(), "train")

    def train(self, detector: str, name: str, train_on: str, only: Path | None = None) -> Path:
        """Train a detector, or fit its head where its trunk is frozen; the folder of the finished run.

        Args:
            detector: registry name.
            name: of the run, unique among the lab's.
            train_on: generators, separated by commas, or `all`.
            only: list of the images to train on.

        Raises:
            StudyStoppedError: somebody stopped it.
            EvaluationError: a head's trunk or the folder of its features is not named.
        """
        run = self.runs / "train" / name / detector
        if (run / "manifest.json").exists():
            return run
        self.report(f"training {detector}: {name}")
        if has_linear_head(detector):
            self._fit_head(detector, train_on, only, run)
        else:
            self._train(detector, train_on, only, run)
        return run

    def _fit_head(self, detector: str, train_on: str, only: Path | None, run: Path) -> None:
        if not (self.init and self.features):
            raise EvaluationError(
                "its trunk and a folder for its features are needed.",
                hint="Give --init FILE and --features DIR.",
                source=detector,
            )
        plan = HeadPlan(
            data=self.data, init=self.init, features=self.features, detector=detector, train_on=train_on,
            only=only, command=self.command,
        )  # fmt: skip
        fit_head_run(plan, run, self._row)

    def _train(self, detector: str, train_on: str, only: Path | None, run: Path) -> None:
        learns = self.teacher is not None and detector_class(detector).dense_layer is not None
        plan = TrainingPlan(
            detector=detector, data=self.data, train_on=train_on, out=run, only=only, steps=self.steps,
            seed=self.seed, init=self.start, teacher=self.teacher if learns else None,
            threads=self.threads, validate_every=0, command=self.command,
        )  # fmt: skip
        if Trainer(plan, self._row).run() is None:
            raise StudyStoppedError

    def score(
        self,
        detector: str,
        weights: Path,
        name: str,
        *,
        degrade: str = "none",
        data_protocol: str = "raw",
        generators: str = "all",
    ) -> Path:
        """Score the validation images with one run's weights; the folder of the finished evaluation.

        Args:
            detector: registry name.
            weights: folder of the training run.
            name: of the evaluation, unique among the lab's.
            degrade, data_protocol, generators: as of the command `evaluate`.

        Raises:
            StudyStoppedError: somebody stopped it.
        """
        out = self.runs / "scores" / name / detector
        if (out / "report.json").exists():
            return out
        self.report(f"scoring with {detector}: {name}")
        if has_linear_head(detector) and degrade == "none" and data_protocol == "raw" and self.features:
            chosen = named_protocol("raw")
            records = select_images(
                self.records(), split="val", generators=generators, protocol=chosen, limit=self.limit
            )
            score_head(
                records, detector, weights, self.features, out, limit=self.limit, seed=DRAW_SEED,
                command=self.command,
            )  # fmt: skip
        else:
            self._evaluate(detector, weights, out, degrade, data_protocol, generators)
        write_report(out)
        return out

    def _evaluate(
        self, detector: str, weights: Path, out: Path, degrade: str, data_protocol: str, generators: str
    ) -> None:
        wanted = Wanted(
            data=self.data, detectors=detector, weights=str(weights), degrade=degrade,
            data_protocol=data_protocol, generators=generators, limit=self.limit, seed=DRAW_SEED,
            command=self.command,
        )  # fmt: skip
        work = set_up(wanted)
        with Stop() as stop:
            finished = run(work.records, work.detectors, work.plan, out, should_stop=lambda: stop.asked)
        if not finished:
            raise StudyStoppedError

    def export(self, run: Path, file: str, table: str, *, row: str = "", title: str = "") -> Path:
        """Enter an evaluation's figures in `tables/<file>.json` (see `export-table`)."""
        out = self.out / "tables" / f"{file}.json"
        export_table(run, out, table, row=row, title=title, command=self.command)
        return out

    def _row(self, row: Mapping[str, Any]) -> None:
        self.report("  ".join(f"{key} {value}" for key, value in row.items()))

    def write_list(self, name: str, records: Sequence[Record]) -> Path:
        """A text file with the ids of `records`, for `--only`."""
        path = self.runs / "lists" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{record.image_id}\n" for record in sorted(records, key=lambda r: r.image_id))
        fill_text(path, text)
        return path


def has_linear_head(detector: str) -> bool:
    """Whether a head on frozen features stands for a whole training run."""
    return detector_class(detector).frozen_trunk
