"""The three degradations of GenImage's Task 2 (low resolution, JPEG, blur), four of the web's, their chains.

A degradation takes and gives an image as uint8 height x width x 3 RGB and acts on the decoded full image,
before a detector's own resizing and cropping. Text forms: "lowres:112", "lowres:112:down", "jpeg:65",
"jpeg:65:444", "blur:3", "resize:75", "crop:80", "screen",
"thumb:400", joined by "+"; "none" does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from genimage_core.images.degradation_base import Chain, Degradation, degradation_types, register_degradation
from genimage_core.images.degradation_steps import (
    Crop,
    GaussianBlur,
    Jpeg,
    LowRes,
    LowResMode,
    Resize,
    Screen,
    Thumbnail,
)
from genimage_core.utils.errors import DegradationError

__all__ = [
    "PAPER_SUITE",
    "Chain",
    "Crop",
    "Degradation",
    "GaussianBlur",
    "Jpeg",
    "LowRes",
    "LowResMode",
    "Resize",
    "Screen",
    "Thumbnail",
    "chain",
    "degradation_types",
    "paper_suite",
    "parse",
    "register_degradation",
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
    types = degradation_types()
    if name not in types:
        known = ", ".join(types)
        raise DegradationError(
            f"There is no such degradation; known are {known}.", hint=_EXAMPLE, source=part or "(empty)"
        )
    try:
        return types[name].read(*values)
    except DegradationError as error:
        error.source = error.source or part
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise DegradationError("Its values cannot be read.", hint=_EXAMPLE, source=part) from error


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


def sweep(kind: str, **options: str) -> list[Degradation]:
    """The degradations of one kind from mild to harsh, for a curve against severity.

    Args:
        kind: one that has a curve, such as "jpeg", "blur" or "lowres".
        options: further parameters of all of them, such as `mode="down"`.

    Raises:
        DegradationError: there is no such kind.
    """
    curves = {name: found.curve for name, found in degradation_types().items()}
    curve = curves.get(kind)
    if curve is None:
        known = ", ".join(name for name, has in curves.items() if has)
        raise DegradationError("There is no such kind of degradation.", hint=f"Known: {known}.", source=kind)
    found = degradation_types()[kind]
    return [found(**{found.parameter: value}, **options) for value in curve.severities]
