"""A build on Ray: one shard a GPU, each as a process of its own would make it, in a shared folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from genimage_core.evaluation.ray import ray_modules
from genimage_core.generation.build import Request, Watcher, build, plan_of, resolve_generator
from genimage_core.generation.journal import read_rows
from genimage_core.generation.plan import FOLDER
from genimage_core.utils.errors import GenerationError

_RETRIES = 100  # machines that are lent for a while go all the time; a shard resumes where it was
_POLL = 2.0  # seconds


def build_on_ray(request: Request, workers: int = 0, watcher: Watcher = Watcher()) -> str | None:  # noqa: B008
    """Make a data set's images on all of a cluster, then finish it here.

    Args:
        request: its folders must be the same for every machine; its shard is not used.
        workers: shards; 0: one a GPU, or one a CPU but one.
        watcher: as of `build`; a stop ends the workers, who lose the image in hand.

    Raises:
        GenerationError: as `build`; or a worker failed.
        EvaluationError: Ray is not installed.
    """
    ray = ray_modules()
    have = ray.cluster_resources()
    gpus = int(have.get("GPU", 0)) if request.device != "cpu" else 0
    n = workers or gpus or max(1, int(have.get("CPU", 2)) - 1)
    request = replace(request, out=request.out.absolute(), real=request.real.absolute(), shard="1/1")
    if request.dtype == "auto":  # this machine need not have what the workers have
        request = replace(request, dtype=resolve_generator(request)[1].dtype if gpus else "float32")
    plan, _ = plan_of(request)
    shard = ray.remote(_shard).options(num_gpus=1 if gpus else 0, num_cpus=1, max_retries=_RETRIES)
    jobs: list[Any] = [shard.remote(replace(request, shard=f"{i}/{n}")) for i in range(1, n + 1)]
    waiting = list(jobs)
    try:
        while waiting and not watcher.should_stop():
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=_POLL)
            made = len(read_rows(request.out / plan.name / FOLDER, "shard-*.jsonl"))
            watcher.progress("images", made, plan.per_class * len(plan.classes))
        if waiting:
            return None
        ray.get(jobs)
    except ray.exceptions.RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, GenerationError):
            raise GenerationError(cause.message, hint=cause.hint, source=cause.source) from error
        raise GenerationError(
            f"a worker failed ({type(cause or error).__name__}).", hint="See Ray's logs."
        ) from error
    finally:
        for job in waiting:
            ray.cancel(job, force=True)
    return build(request, watcher)


def _shard(request: Request) -> None:
    build(request, only_images=True)
