"""Presets: what a known generator is and how it is run, one YAML file each in `presets/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from genimage_core.utils.errors import GenerationError

PROMPT = "photo of a {class}"
"""The template of GenImage."""

_FOLDER = Path(__file__).parent / "presets"


class Preset(BaseModel):
    """How a diffusers pipeline is loaded and called.

    Attributes:
        model: repository of the hub, or a folder.
        revision: commit of the repository; "" takes the newest, and the first run keeps which that was.
        prompt: template; `{class}` stands for the class's name.
        size: px of a side of the square images; None: the pipeline's own.
        steps: of the sampler; None: the pipeline's own.
        guidance: scale of classifier-free guidance; None: the pipeline's own.
        scheduler: class name in diffusers; "" keeps the repository's.
        dtype: of the weights on a GPU; on a CPU it is float32.
        variant: of the weight files, such as `fp16`; "" takes the plain ones.
        call: further arguments of the pipeline's call.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    revision: str = ""
    prompt: str = PROMPT
    size: int | None = None
    steps: int | None = None
    guidance: float | None = None
    scheduler: str = ""
    dtype: Literal["float16", "bfloat16", "float32"] = "float16"
    variant: str = ""
    call: dict[str, Any] = {}


def list_presets() -> list[str]:
    """Names of the presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_preset(name: str) -> Preset:
    """Read a preset.

    Raises:
        GenerationError: there is none of that name, or its file is damaged.
    """
    if name not in list_presets():
        raise GenerationError(
            "no such preset.", hint=f"Choose from: {', '.join(list_presets())}.", source=name or "(empty)"
        )
    try:
        return Preset.model_validate(yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise GenerationError(f"this preset cannot be read: {error}", source=name) from None
