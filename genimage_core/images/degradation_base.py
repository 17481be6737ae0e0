"""What a degradation is: something to call with an image, its text form, and how people set it.

Every one takes and gives uint8 height x width x 3 RGB. Registering makes it known everywhere: to `parse`
and so to the command line and the page's address, to the sliders of the Degrade page, and to the curves.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self, TypeVar

import numpy as np

from genimage_core.images.color import RGBImage
from genimage_core.utils.errors import DegradationError


class Slider(NamedTuple):
    """How a visitor sets a degradation's one parameter.

    Attributes:
        label: of the slider.
        stops: the values it can take, in order; None stands for off.
    """

    label: str
    stops: tuple[float | None, ...]


class Switch(NamedTuple):
    """How a visitor turns a degradation without parameters on.

    Attributes:
        label: of the switch.
        help: what it does.
    """

    label: str
    help: str


class Choice(NamedTuple):
    """A second parameter with a few named values.

    Attributes:
        field: of the dataclass.
        labels: value -> its name, the default first.
        help: for the visitor.
    """

    field: str
    labels: Mapping[str, str]
    help: str


class Curve(NamedTuple):
    """Scores against severity.

    Attributes:
        title: of the curve.
        axis: what stands on the axis, from mild to severe.
        severities: the parameter's values from mild to severe; the paper's own are among them.
    """

    title: str
    axis: str
    severities: tuple[float, ...]


class Degradation(ABC):
    """Something that makes an image worse. Call it with an image; `str()` gives its text form.

    Attributes:
        name: first part of the text form.
        parameter: the field that `control` sets; "": there is none.
        control: how a visitor sets it.
        choice: how a visitor sets a second parameter.
        curve: how its scores are drawn against severity; None: they are not.
        last: whether it comes after all others where a visitor combines several.
    """

    name: ClassVar[str]
    parameter: ClassVar[str] = ""
    control: ClassVar[Slider | Switch]
    choice: ClassVar[Choice | None] = None
    curve: ClassVar[Curve | None] = None
    last: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, image: RGBImage) -> RGBImage:
        """Return the degraded image; the input is not changed, but may itself be returned if nothing is done.

        Args:
            image: uint8, height x width x 3, RGB.

        Raises:
            DegradationError: the array is no such image.
        """

    @classmethod
    def read(cls, *values: str) -> Self:
        """Make one from the parts of its text form behind the name.

        Raises:
            TypeError, ValueError, DegradationError: they make no sense.
        """
        return cls(*map(int, values))

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        value = getattr(self, self.parameter) if self.parameter else ""
        return f"{self.name} {value}".strip()


_REGISTRY: dict[str, type[Degradation]] = {}
Type = TypeVar("Type", bound="type[Degradation]")


def register_degradation(kind: Type) -> Type:
    """Class decorator: make a degradation known under its name.

    Raises:
        ValueError: another one has that name.
    """
    known = _REGISTRY.get(kind.name)
    if known is not None and known.__qualname__ != kind.__qualname__:
        raise ValueError(f"two degradations are called {kind.name!r}")
    _REGISTRY[kind.name] = kind
    return kind


def degradation_types() -> dict[str, type[Degradation]]:
    """Name -> class of every degradation, in the order in which a visitor's choices are applied."""
    return dict(sorted(_REGISTRY.items(), key=lambda item: item[1].last))


@dataclass(frozen=True)
class Chain(Degradation):
    """Degradations one after the other, exactly in the order given; without any, nothing is done.

    Chains within a chain are flattened. Use `degradations.chain` for the usual order.

    Attributes:
        steps: the degradations.
    """

    steps: tuple[Degradation, ...] = ()

    def __post_init__(self) -> None:
        """Flatten chains within the chain."""
        flat = [part for step in self.steps for part in (step.steps if isinstance(step, Chain) else (step,))]
        object.__setattr__(self, "steps", tuple(flat))

    def __call__(self, image: RGBImage) -> RGBImage:
        """Apply the steps in order."""
        image = checked(image)
        for step in self.steps:
            image = step(image)
        return image

    def __str__(self) -> str:
        """Return the steps' text forms joined by "+", or "none"."""
        return "+".join(map(str, self.steps)) or "none"


def checked(image: RGBImage) -> RGBImage:
    """Return the image with contiguous memory, as OpenCV and torch want it."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DegradationError(
            "An image must be a uint8 array of height x width x 3.", hint="Read it with load_image."
        )
    if image.size == 0:
        raise DegradationError("The image has no pixels.", hint="Check how it was cropped.")
    return np.ascontiguousarray(image)


def as_image(array: object) -> RGBImage:
    """Narrow the type that OpenCV and torch give for a uint8 array."""
    return array  # type: ignore[return-value]


def check_whole(what: str, value: object, low: int, high: int, example: str) -> None:
    """Refuse what is no whole number from `low` to `high`; `example` is a text form that is right."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DegradationError(
            f"The {what} must be a whole number from {low} to {high}, not {value!r}.",
            hint=f'Write "{example}".',
        )


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number(value: float) -> str:
    """Write a number as short as it can be read back exactly: 3.0 -> "3", 0.5 -> "0.5"."""
    return str(int(value)) if value == int(value) else repr(float(value))
