"""The engine on Ray: the same plan, store and rows; actors score, the driver stores.

Each actor holds the detectors and scores batch after batch. With GPUs, tasks prepare the batches wherever a
CPU is free; without, the actors do that as well, which saves moving the views. Ray starts anew what dies.
Only the driver writes, so that what is stored is as safe as it is locally: a batch is there whole or not at
all, and the run goes on where it stopped. Batches are cut as locally, and `score_batch` is the same function:
given the same number of CPU threads and the same kind of machine, the rows are the same.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from genimage_core.datasets import Record, data_protocol
from genimage_core.detectors import Detector, InputSpec
from genimage_core.evaluation.config import Wanted, Work, set_up
from genimage_core.evaluation.devices import load_for_run, run_versions
from genimage_core.evaluation.engine.run import batch_size, score_batch
from genimage_core.evaluation.engine.views import Prepared, Preparer
from genimage_core.evaluation.plan import Plan
from genimage_core.evaluation.store import Row, RunStore
from genimage_core.images.degradations import parse
from genimage_core.utils.errors import EvaluationError

Load = Callable[[], Mapping[str, Detector]]

_RESTARTS = 100  # of one actor: machines that are lent for a while go all the time
_TRIES = 3  # of one batch: what kills every worker is at fault itself
_AHEAD = 2  # batches with each actor, so that it need not wait for the next one


def ray_modules() -> Any:
    """Ray, connected: to the cluster of `RAY_ADDRESS`, else to one of this machine's own.

    Raises:
        EvaluationError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise EvaluationError("Ray is not installed.", hint="Install requirements-ray.txt.") from None
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return ray


def set_up_for_ray(wanted: Wanted) -> tuple[Work, Load]:
    """Like `set_up`, for a cluster: the driver needs no GPU, and `load` is what the actors call.

    Raises:
        GenImageError: as `set_up`; or there is no Ray, or no GPU in the cluster.
    """
    gpus = ray_modules().cluster_resources().get("GPU", 0)
    if wanted.device not in ("auto", "cpu") and not gpus:
        raise EvaluationError("no GPU in this cluster.", hint="Use `cpu` or `auto`.", source=wanted.device)
    device = "cuda" if wanted.device != "cpu" and gpus else "cpu"
    work = set_up(replace(wanted, device="cpu", precision="fp32"))
    plan = work.plan.model_copy(update={"device": device, "precision": wanted.precision})
    load = partial(
        load_for_run, list(plan.detectors), wanted.weights, device=device, precision=wanted.precision
    )
    return replace(work, plan=plan), load


def run_on_ray(
    records: Sequence[Record],
    load: Load,
    specs: Sequence[InputSpec],
    plan: Plan,
    folder: Path,
    *,
    workers: int = 0,
    batch: int = 0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Score what the run in `folder` still lacks, on all of a cluster.

    Args:
        records: all images of the plan; every machine must reach their paths.
        load: called once by each actor.
        specs: of the detectors.
        plan: what the scores depend on.
        folder: of the run, on the driver's machine.
        workers: actors that score; 0: one a GPU, or one a CPU but one.
        batch: images a batch; 0: as many as locally.
        progress: called with (images done, of how many) at the start and after each batch.
        should_stop: asked between batches.

    Returns:
        Whether every image is done.

    Raises:
        EvaluationError: as the local engine; or a worker has other weights or versions than the plan.
    """
    ray = ray_modules()
    on_gpu = plan.device == "cuda"
    resources = ray.cluster_resources()
    workers = workers or max(1, int(resources.get("GPU", 0) if on_gpu else resources.get("CPU", 2) - 1))
    prepare = Preparer(
        specs, {c: parse(c) for c in plan.degradations}, data_protocol(plan.data_protocol), plan.preprocessing
    )
    with RunStore(folder, plan) as store, _told_plainly(ray):
        known = store.done()
        todo = [r for r in records if r.image_id not in known]
        done = len(records) - len(todo)
        if progress:
            progress(done, len(records))
        size = batch or batch_size(plan)
        parts = [todo[i : i + size] for i in range(0, len(todo), size)]
        with closing(_scored(ray, parts, load, prepare, plan, min(workers, len(parts)))) as finished:
            for rows in finished:
                store.append(rows)
                done += len(rows) // plan.rows_per_image
                if progress:
                    progress(done, len(records))
                if should_stop():
                    break
    return done == len(records)


def _scored(
    ray: Any, parts: Sequence[Sequence[Record]], load: Load, prepare: Preparer, plan: Plan, workers: int
) -> Generator[list[Row], None, None]:
    """Yield the rows of each batch as they come; closing it ends the actors."""
    on_gpu = plan.device == "cuda"
    actor = ray.remote(_Scorer).options(
        num_gpus=1 if on_gpu else 0,
        num_cpus=0 if on_gpu else 1,
        max_restarts=_RESTARTS,
        max_task_retries=_TRIES,
    )
    spread = ray.remote(_prepare).options(max_retries=_TRIES)
    actors = [actor.remote(load, prepare, plan) for _ in range(workers)]
    waiting = iter(parts)
    at_work: dict[Any, Any] = {}

    def give(scorer: Any) -> None:
        part = next(waiting, None)
        if part is not None:
            job = (
                scorer.score.remote(spread.remote(prepare, part))
                if on_gpu
                else scorer.score_files.remote(part)
            )
            at_work[job] = scorer

    try:
        for _ in range(_AHEAD):
            for scorer in actors:
                give(scorer)
        while at_work:
            (job,), _ = ray.wait(list(at_work), num_returns=1)
            give(at_work.pop(job))
            yield ray.get(job)
    finally:
        for scorer in actors:
            ray.kill(scorer)


def _prepare(prepare: Preparer, part: Sequence[Record]) -> list[Prepared]:
    return [prepare(record) for record in part]


class _Scorer:
    """One actor: loads the detectors once, scores batch after batch."""

    def __init__(self, load: Load, prepare: Preparer, plan: Plan) -> None:
        self.detectors, self.prepare, self.plan = load(), prepare, plan
        # Told by the first call: what a constructor raises reaches the driver as text only.
        self.problem: EvaluationError | None = None
        if {name: d.weights_id for name, d in self.detectors.items()} != plan.detectors:
            self.problem = EvaluationError(
                "a worker has other weights than the plan.", hint="Copy the same to all."
            )
        elif plan.versions and run_versions() != plan.versions:
            self.problem = EvaluationError(
                "a worker has other package versions than the plan.", hint="Install the same everywhere."
            )

    def score(self, images: list[Prepared]) -> list[Row]:
        """Score what a task has prepared."""
        if self.problem:
            raise self.problem
        return score_batch(images, self.detectors, self.plan)

    def score_files(self, part: Sequence[Record]) -> list[Row]:
        """Prepare and score."""
        return self.score(_prepare(self.prepare, part))


@contextmanager
def _told_plainly(ray: Any) -> Iterator[None]:
    """Turn what a worker raised into the local engine's error."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, EvaluationError):
            raise EvaluationError(cause.message, hint=cause.hint, source=cause.source) from error
        raise EvaluationError(
            f"a worker failed ({type(error).__name__}).", hint="See Ray's own logs; the run can go on."
        ) from error
