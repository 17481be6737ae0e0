"""A diffusers pipeline as a maker of images: loaded at one commit, each image from a seed of its own."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genimage_core.datasets.file_hashes import content_hashes
from genimage_core.generation.makers import Facts
from genimage_core.generation.plan import Plan, Shot
from genimage_core.utils.errors import GenerationError

if TYPE_CHECKING:
    import torch

INDEX = "model_index.json"
"""The file that makes a folder a diffusers pipeline."""
_PACKAGES = ("diffusers", "transformers", "torch")


class Diffusion:
    """A text-to-image pipeline of diffusers.

    Noise is drawn on the CPU, one generator an image: it is the same on every device and in every batch.

    Args:
        plan: at which revision, and how it is called.
        model: repository of the hub, or folder.
        device: `auto`, `cpu`, `cuda` or `cuda:1`.
        variant: of the weight files; "" for the plain ones.

    Raises:
        GenerationError: diffusers is not installed, the model cannot be had, or it takes no prompt.
    """

    def __init__(self, plan: Plan, model: str, device: str = "auto", variant: str = "") -> None:
        import inspect

        from genimage_core.detectors.registry import resolve_device

        self.plan = plan
        target = resolve_device(device)
        self.pipe = _load(plan, model, variant).to(target)
        self.pipe.set_progress_bar_config(disable=True)
        taken = set(inspect.signature(self.pipe.__call__).parameters)
        if not {"prompt", "generator"} <= taken:
            raise GenerationError(
                f"{type(self.pipe).__name__} takes no prompt.",
                hint="Choose a text-to-image pipeline, or use --command.",
                source=plan.model,
            )
        self.call = {
            "num_inference_steps": plan.steps, "guidance_scale": plan.guidance, "height": plan.size,
            "width": plan.size, "output_type": "pil", **plan.call,
        }  # fmt: skip
        self.call = {name: value for name, value in self.call.items() if value is not None}
        if unknown := sorted(set(self.call) - taken):
            raise GenerationError(
                f"{type(self.pipe).__name__} does not take {', '.join(unknown)}.", source=plan.model
            )
        self.facts = Facts(
            device=_device_name(target),
            versions=", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES),
            scheduler=type(self.pipe.scheduler).__name__,
        )

    def make(self, shots: Sequence[Shot]) -> list[bytes | str]:
        """Sample one batch; each image as a PNG file.

        Raises:
            GenerationError: memory does not suffice, or the pipeline refuses how it is called.
        """
        import torch

        prompts = [shot.prompt for shot in shots]
        generators = [torch.Generator("cpu").manual_seed(shot.seed or 0) for shot in shots]
        call = dict(self.call)
        if isinstance(negative := call.get("negative_prompt"), str):
            call["negative_prompt"] = [negative] * len(shots)
        try:
            images = self.pipe(prompt=prompts, generator=generators, **call).images
        except torch.OutOfMemoryError:
            raise GenerationError(
                "the GPU's memory does not suffice.",
                hint="Use a smaller --batch or --size.",
                source=self.plan.model,
            ) from None
        except (ValueError, TypeError) as error:
            raise GenerationError(
                f"the pipeline refuses these settings: {_first_line(error)}", source=self.plan.model
            ) from error
        return [_as_png(image) for image in images]


def newest_commit(model: str, revision: str) -> str:
    """The commit of a hub repository that a branch, a tag or "" (its main branch) stands for now.

    Raises:
        GenerationError: the hub cannot be reached, or has no such repository.
    """
    from huggingface_hub import model_info

    try:
        return model_info(model, revision=revision or None).sha or ""
    except Exception as error:  # the hub's client raises its own, httpx's and the system's
        raise GenerationError(
            f"the hub does not tell its commit ({_first_line(error)}).",
            hint="Check name and network, or download it and name the folder.",
            source=model,
        ) from None


def folder_revision(folder: Path) -> str:
    """A hash of all files of a pipeline's folder: what a commit is for a repository."""
    files = sorted(
        p for p in folder.rglob("*") if p.is_file() and ".cache" not in p.relative_to(folder).parts
    )
    digest = hashlib.sha256()
    for path, content in zip(files, content_hashes(files), strict=True):
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def dtype_on(device: str, wanted: str, preset: str) -> str:
    """The dtype of a run: as wanted, or with `auto` the preset's on a GPU and float32 on a CPU.

    Raises:
        GenerationError: there is no such dtype.
    """
    from genimage_core.detectors.registry import resolve_device

    if wanted == "auto":
        return "float32" if resolve_device(device).type == "cpu" else preset
    if wanted not in ("float16", "bfloat16", "float32"):
        raise GenerationError("no such dtype.", hint="Use float16, bfloat16, float32 or auto.", source=wanted)
    return wanted


def _load(plan: Plan, model: str, variant: str) -> Any:
    import genimage_core.detectors._timm  # noqa: F401  (mends torchvision, which diffusers imports)

    try:
        import diffusers
    except ImportError:
        raise GenerationError(
            "diffusers is not installed.", hint="Install requirements-build.txt.", source=plan.model
        ) from None
    import torch

    options: dict[str, Any] = {"torch_dtype": getattr(torch, plan.dtype), "use_safetensors": True}
    if not Path(model).is_dir():
        options["revision"] = plan.revision
        if variant and plan.dtype == "float16":
            options["variant"] = variant
    try:
        diffusers.utils.logging.disable_progress_bar()
        with warnings.catch_warnings():  # the argument's name is about to change
            warnings.simplefilter("ignore", FutureWarning)
            pipe = diffusers.DiffusionPipeline.from_pretrained(model, **options)
        if plan.scheduler and plan.scheduler != type(pipe.scheduler).__name__:
            pipe.scheduler = getattr(diffusers, plan.scheduler).from_config(pipe.scheduler.config)
    except Exception as error:  # packages missing, files missing, no network, no licence: all say so in words
        raise GenerationError(
            f"this pipeline cannot be loaded: {_first_line(error)}",
            hint="Weights must be safetensors; a gated model needs its licence accepted and a login.",
            source=plan.model,
        ) from error
    return pipe


def _as_png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _device_name(device: torch.device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
