"""The steps of a study: train, score, export. Each is skipped where its result is there."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from genimage_core.datasets import Record, list_generators, scan_dataset
from genimage_core.detectors import detector_class
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import EvaluationError

Report = Callable[[str], None]
STOPPED = (130, -2, -15)
"""Exit codes of a step that was asked to stop."""


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
        """
        run = self.runs / "train" / name / detector
        if (run / "manifest.json").exists():
            return run
        options = ["--data", str(self.data), "--train-on", train_on, "--out", str(run)]
        options += ["--threads", str(self.threads)]
        if only:
            options += ["--only", str(only)]
        if has_linear_head(detector):
            if not (self.init and self.features):
                raise EvaluationError(
                    "its trunk and a folder for its features are needed.",
                    hint="Give --init FILE and --features DIR.",
                    source=detector,
                )
            options += ["--detector", detector, "--init", str(self.init), "--features", str(self.features)]
            self.call("fit-head", options)
        else:
            options += ["--detector", detector, "--seed", str(self.seed), "--validate-every", "0"]
            if self.steps:
                options += ["--steps", str(self.steps)]
            if self.start:
                options += ["--init", str(self.start)]
            if self.teacher and detector_class(detector).dense_layer:
                options += ["--teacher", str(self.teacher)]
            self.call("train", options)
        return run

    def score(
        self,
        detector: str,
        weights: Path,
        name: str,
        *,
        degrade: str = "none",
        protocol: str = "raw",
        generators: str = "all",
    ) -> Path:
        """Score the validation images with one run's weights; the folder of the finished evaluation.

        Args:
            detector: registry name.
            weights: folder of the training run.
            name: of the evaluation, unique among the lab's.
            degrade, protocol, generators: as of the command `evaluate`.
        """
        out = self.runs / "scores" / name / detector
        if (out / "report.json").exists():
            return out
        options = ["--data", str(self.data), "--weights", str(weights), "--out", str(out)]
        options += ["--generators", generators]
        if self.limit:
            options += ["--limit", str(self.limit)]
        if has_linear_head(detector) and degrade == "none" and protocol == "raw" and self.features:
            self.call("score-head", [*options, "--detector", detector, "--features", str(self.features)])
        else:
            options += ["--detectors", detector, "--degrade", degrade, "--protocol", protocol]
            self.call("evaluate", [*options, "--threads", str(self.threads)])
        return out

    def export(self, run: Path, file: str, table: str, *, row: str = "", title: str = "") -> Path:
        """Enter an evaluation's figures in `tables/<file>.json` (see `export-table`)."""
        out = self.out / "tables" / f"{file}.json"
        options = [str(run), str(out), "--table", table]
        options += ["--row", row] if row else []
        options += ["--title", title] if title else []
        self.call("export-table", options)
        return out

    def write_list(self, name: str, records: Sequence[Record]) -> Path:
        """A text file with the ids of `records`, for `--only`."""
        path = self.runs / "lists" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{record.image_id}\n" for record in sorted(records, key=lambda r: r.image_id))
        fill_text(path, text)
        return path

    def call(self, command: str, options: Sequence[str]) -> None:
        """Run one of the other commands in a process of its own: it frees its memory when it ends.

        Raises:
            StudyStoppedError: it was stopped.
            EvaluationError: it failed; its own message stands above.
        """
        words = [command, *options]
        self.report(shlex.join(words))
        code = subprocess.call([sys.executable, "-m", "genimage_core", *words])
        if code in STOPPED:
            raise StudyStoppedError
        if code:
            raise EvaluationError(
                "a step failed; its message stands above.",
                hint="Mend it and start the same command again.",
                source=shlex.join(words),
            )


def has_linear_head(detector: str) -> bool:
    """Whether a head on frozen features stands for a whole training run."""
    return detector_class(detector).frozen_trunk
