"""Bring your own detector: a YAML config beside a checkpoint joins the registry, without code.

Configs lie in the folder that `GENIMAGE_DETECTORS` names, or in `./my_detectors`. Nothing that is loaded may
run code: tensors come from safetensors, from `torch.load(weights_only=True)` or from an ONNX file. On a
server for strangers (`is_public`) no config is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from genimage_core.detectors.info import IMAGENET_MEAN, IMAGENET_STD
from genimage_core.utils.errors import WeightsError
from genimage_core.utils.settings import detector_configs, is_public

MAX_CONFIG_BYTES = 20_000
Channels = tuple[float, float, float]
Source = Literal["timm", "torchvision", "onnx", "transformers"]


class DetectorConfig(BaseModel):
    """What a config says.

    Attributes:
        name: in the registry and on the command line.
        title: on the pages.
        source: who builds the network.
        model: its architecture's name (timm, torchvision); not needed for onnx and transformers.
        weights: the checkpoint beside the config; for transformers the folder of the repository's files.
        classes: what each output stands for, in its order, `real` or `fake`; a single one is a logit.
        output: whether the network gives logits or probabilities.
        layout: of the network's input; NHWC for ONNX files only.
        tile: side in px of the square views that it reads.
        max_tiles: at most so many views of one image are averaged.
        resize: shorter side before the crop under preprocessing `resize`; None: no resize.
        mean, std: of the normalisation of values in [0, 1].
        reads: one sentence, what it looks at.
        year, paper, url: where it comes from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    title: Annotated[str, Field(min_length=1, max_length=40)]
    source: Source
    # Names of architectures only: an address ("hf-hub:...") would fetch something.
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]+$")] | None = None
    weights: Annotated[str, Field(min_length=1)]
    classes: Annotated[tuple[Literal["real", "fake"], ...], Field(min_length=1)] = ("real", "fake")
    output: Literal["logits", "probabilities"] = "logits"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    tile: Annotated[int, Field(ge=16, le=2048)] = 224
    max_tiles: Annotated[int, Field(ge=1, le=64)] = 4
    resize: Annotated[int, Field(ge=16, le=4096)] | None = 256
    mean: Channels = IMAGENET_MEAN
    std: Channels = IMAGENET_STD
    reads: str = "What its author trained it on; not checked here."
    year: int = 0
    paper: str = "Brought along by this installation's owner."
    url: str = ""

    @field_validator("std")
    @classmethod
    def _positive(cls, value: Channels) -> Channels:
        if min(value) <= 0:
            raise ValueError("must be above 0")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> DetectorConfig:
        if self.source in ("timm", "torchvision") and not self.model:
            raise ValueError(f"source {self.source} needs model, the name of an architecture")
        if len(self.classes) > 1 and len(set(self.classes)) < 2:
            raise ValueError("classes must name both real and fake")
        if self.layout == "NHWC" and self.source != "onnx":
            raise ValueError("layout NHWC is for onnx files only")
        return self


def configs_folder() -> Path | None:
    """Where configs are looked for; None where there is no such folder, or on a server for strangers."""
    if is_public():
        return None
    folder = detector_configs()
    return folder if folder.is_dir() else None


def read_config(path: Path) -> DetectorConfig:
    """Read one config.

    Raises:
        WeightsError: it is no YAML, a field is missing or wrong, or its checkpoint is not beside it.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise WeightsError("too large for a config.", hint="Ten lines are enough.", source=path.name)
        config = DetectorConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the config"
        raise WeightsError(
            f"the config is wrong at {where}: {first['msg']}.", hint=_HINT, source=path.name
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise WeightsError(
            f"the config cannot be read ({type(error).__name__}).", hint=_HINT, source=path.name
        ) from None
    checkpoint = (path.parent / config.weights).resolve()
    if not checkpoint.is_relative_to(path.parent.resolve()) or not checkpoint.exists():
        raise WeightsError(
            f"its checkpoint {config.weights} does not lie beside the config.",
            hint="Put it into the config's folder and name it without a path from outside.",
            source=path.name,
        )
    return config


_HINT = "docs/own_detector.md shows one."
