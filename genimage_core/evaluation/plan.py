"""The plan of an evaluation: everything its scores depend on, as it stands in `run.json`.

A run folder belongs to one plan. Going on with another one is refused, so that no table ever mixes scores
of two weight sets, two data sets or two versions of a library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from genimage_core.detectors import Preprocessing
from genimage_core.images.degradations import PAPER_SUITE, parse
from genimage_core.utils import old_names
from genimage_core.utils.errors import EvaluationError

RUN_FILE = "run.json"
Precision = Literal["fp32", "bf16", "int8"]


class DataFacts(BaseModel):
    """Which images a run is about.

    Attributes:
        fingerprint: sha256, see `plan_images.fingerprint` for what it covers.
        covers: the same in words.
        images: how many.
        generators: their names.
        split: `val` or `train`.
        limit: at most so many images of a class and generator; None: all.
        seed: of the draws (the protocol's and the limit's).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str
    covers: str
    images: int
    generators: tuple[str, ...]
    split: str
    limit: int | None
    seed: int


class Plan(BaseModel):
    """What is scored, by what, and how.

    Attributes:
        data: the images.
        detectors: name -> sha256 of the weights.
        degradations: text forms of the degradations, `none` for none.
        data_protocol: `raw` or `unbiased`.
        preprocessing: how an image reaches the networks, `tiles` or the paper's `resize`.
        device: kind of the device, `cpu` or `cuda`.
        precision: of the networks' arithmetic; `int8` is that of the app on a CPU, where some detectors run
            in 8 bits.
        versions: of the packages that scores depend on.
        command: how the run was started; the one field that may differ when it goes on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    data: DataFacts
    detectors: dict[str, str]
    degradations: tuple[str, ...]
    data_protocol: str
    preprocessing: Preprocessing
    device: str
    precision: Precision = "fp32"
    versions: dict[str, str]
    command: str = ""

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, data: Any) -> Any:
        return old_names.of_run(data)

    @property
    def rows_per_image(self) -> int:
        """One row for each detector and degradation."""
        return len(self.detectors) * len(self.degradations)


def parse_degradations(text: str) -> tuple[str, ...]:
    """`none`, `paper` or chains joined by commas -> text forms in their usual spelling, each once.

    `paper` stands for `none` and the six degradations of the paper's Task 2; it may stand among others.

    Raises:
        DegradationError: a chain cannot be read.
    """
    found: list[str] = []
    for part in text.split(","):
        if part.strip().lower() == "paper":
            found += ["none", *map(str, PAPER_SUITE.values())]
        else:
            found.append(str(parse(part)))
    return tuple(dict.fromkeys(found))


def read_plan(folder: Path) -> Plan:
    """The plan of a run folder.

    Raises:
        EvaluationError: there is none, or it cannot be read.
    """
    path = folder / RUN_FILE
    try:
        return Plan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise EvaluationError(
            "no evaluation run here.", hint=f"Name a folder that holds {RUN_FILE}.", source=str(folder)
        ) from None
    except (OSError, ValidationError):
        raise EvaluationError(
            "the plan of this run cannot be read.",
            hint="Restore the file, or start again in another folder.",
            source=str(path),
        ) from None


def check_same(old: Plan, new: Plan, folder: Path) -> None:
    """Make sure that a run may go on.

    Raises:
        EvaluationError: the plans differ in more than their command; says where.
    """
    differences = _differences(old.model_dump(mode="json"), new.model_dump(mode="json"))
    if differences:
        raise EvaluationError(
            f"this run was started with another plan ({'; '.join(differences)}).",
            hint="Go on with the old plan, or choose another folder for the new one.",
            source=str(folder),
        )


def _differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if before == after or (not prefix and key == "command"):
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            found += _differences(before, after, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key}: {_short(before)}, now {_short(after)}")
    return found


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    text = "absent" if value is None else str(value)
    return text[:16] if len(text) == 64 else text
