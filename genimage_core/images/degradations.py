"""The three degradations of GenImage's Task 2 (low resolution, JPEG, blur), three of the web's, their chains.

A degradation takes and gives an image as uint8 height x width x 3 RGB and acts on the decoded full image,
before a detector's own resizing and cropping. Text forms: "lowres:112", "lowres:112:down", "jpeg:65",
"jpeg:65:444", "blur:3", "resize:75", "crop:80", "screen", joined by "+"; "none" does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from genimage_core.images.degradation_steps import (
    Chain,
    Crop,
    Degradation,
    GaussianBlur,
    Jpeg,
    LowRes,
    LowResMode,
    Resize,
    Screen,
)
from genimage_core.utils.errors import DegradationError

__all__ = [
    "PAPER_SUITE",
    "SEVERITIES",
    "Chain",
    "Crop",
    "Degradation",
    "GaussianBlur",
    "Jpeg",
    "LowRes",
    "LowResMode",
    "Resize",
    "Screen",
    "chain",
    "paper_suite",
    "parse",
    "sweep",
]

_EXAMPLE = 'Write it like "lowres:112", "jpeg:65" or "blur:3+jpeg:65".'


def chain(*steps: Degradation, keep_order: bool = False) -> Chain:
    """Join degradations; unless `keep_order`, blurs that follow a JPEG move before the first JPEG.

    Blur before JPEG is the field's convention: a file is compressed last.
    """
    joined = Chain(steps)
    first_jpeg = next((i for i, step in enumerate(joined.steps) if isinstance(step, Jpeg)), None)
    if keep_order or first_jpeg is None:
        return joined
    head, tail = joined.steps[:first_jpeg], joined.steps[first_jpeg:]
    blurs = tuple(step for step in tail if isinstance(step, GaussianBlur))
    rest = tuple(step for step in tail if not isinstance(step, GaussianBlur))
    return Chain((*head, *blurs, *rest))


def parse(text: str, *, keep_order: bool = False) -> Degradation:
    """Read a degradation's text form; letter case and spaces around the parts do not matter.

    `parse(str(d)) == d` for every single degradation and every chain with the usual order; for a chain that
    was built in another order pass `keep_order=True`.

    Args:
        text: such as "blur:3+jpeg:65"; "none" or nothing gives the empty chain.
        keep_order: leave a blur behind a JPEG where it is.

    Returns:
        One degradation, or a `Chain` if the text names none or several.

    Raises:
        DegradationError: names the part that is wrong and shows a correct one.
    """
    text = text.strip().lower()
    if text in ("", "none"):
        return Chain()
    steps = [_parse_step(part.strip()) for part in text.split("+")]
    return steps[0] if len(steps) == 1 else chain(*steps, keep_order=keep_order)


def _parse_step(part: str) -> Degradation:
    name, *values = (value.strip() for value in part.split(":"))
    if name not in _READERS:
        known = ", ".join(_READERS)
        raise DegradationError(
            f"There is no such degradation; known are {known}.", hint=_EXAMPLE, source=part or "(empty)"
        )
    try:
        return _READERS[name](*values)
    except DegradationError as error:
        error.source = error.source or part
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise DegradationError("Its values cannot be read.", hint=_EXAMPLE, source=part) from error


def _read_jpeg(quality: str, *subsampling: str) -> Jpeg:
    digits = "".join(subsampling)
    return Jpeg(int(quality), ":".join(digits)) if subsampling else Jpeg(int(quality))


def _read_lowres(size: str, mode: str = "down-up") -> LowRes:
    return LowRes(int(size), mode)  # type: ignore[arg-type]  # checked by LowRes


def _read_blur(sigma: str) -> GaussianBlur:
    return GaussianBlur(float(sigma))


_READERS: dict[str, Callable[..., Degradation]] = {
    "lowres": _read_lowres,
    "jpeg": _read_jpeg,
    "blur": _read_blur,
    "resize": lambda percent: Resize(int(percent)),
    "crop": lambda percent: Crop(int(percent)),
    "screen": Screen,
}


def paper_suite(lowres_mode: LowResMode = "down-up") -> Mapping[str, Degradation]:
    """Return the six conditions of the paper's Task 2 by the paper's names, in its order."""
    return MappingProxyType(
        {
            "LR 112": LowRes(112, lowres_mode),
            "LR 64": LowRes(64, lowres_mode),
            "JPEG 65": Jpeg(65),
            "JPEG 30": Jpeg(30),
            "Blur 3": GaussianBlur(3),
            "Blur 5": GaussianBlur(5),
        }
    )


PAPER_SUITE = paper_suite()
"""The paper's six conditions, low resolution read as "down-up"."""

SEVERITIES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "jpeg": (95, 90, 80, 70, 65, 50, 40, 30, 20),
        "blur": (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6),
        "lowres": (224, 192, 160, 128, 112, 96, 64, 48, 32),
    }
)
"""Parameters from mild to harsh for each kind; the paper's own values are among them."""


def sweep(kind: str, *, lowres_mode: LowResMode = "down-up") -> list[Degradation]:
    """Return the degradations of one kind from mild to harsh, for a curve against severity.

    Args:
        kind: "jpeg", "blur" or "lowres".
        lowres_mode: for kind "lowres".

    Raises:
        DegradationError: the kind is unknown.
    """
    if kind not in SEVERITIES:
        known = ", ".join(SEVERITIES)
        raise DegradationError("There is no such kind of degradation.", hint=f"Known: {known}.", source=kind)
    if kind == "lowres":
        return [LowRes(int(value), lowres_mode) for value in SEVERITIES[kind]]
    return [Jpeg(int(value)) if kind == "jpeg" else GaussianBlur(value) for value in SEVERITIES[kind]]
