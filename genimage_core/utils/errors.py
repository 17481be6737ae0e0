"""Every error that bad input can cause: each says what is wrong, with which file, and what to do."""

from __future__ import annotations


class GenImageError(Exception):
    """Base of all expected errors.

    Args:
        message: what is wrong, one sentence.
        hint: what the user can do about it, one sentence; may be empty.
        source: the file name, detector name or text that caused it; may be None.
    """

    def __init__(self, message: str, *, hint: str = "", source: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.source = source

    def __str__(self) -> str:
        """Return `source: message hint`, leaving out what is absent."""
        head = f"{self.source}: {self.message}" if self.source else self.message
        return f"{head} {self.hint}" if self.hint else head


class ImageReadError(GenImageError):
    """A file could not be turned into an image."""


class EmptyFileError(ImageReadError):
    """The file holds no bytes."""


class UnsupportedFormatError(ImageReadError):
    """The bytes are no image, or an image of a kind that cannot be read here."""


class CorruptImageError(ImageReadError):
    """The file starts like an image but is truncated or damaged."""


class ImageTooLargeError(ImageReadError):
    """The file has more pixels or bytes than the limit allows."""


class DegradationError(GenImageError):
    """A degradation's text form or parameter is wrong."""


class UnknownDetectorError(GenImageError):
    """No detector of that name is registered."""


class WeightsError(GenImageError):
    """Weights are missing, damaged, or belong to another network."""


class UnsafeWeightsError(WeightsError):
    """A file that would run code, or read other files, when it is loaded."""


class NoVerdictError(GenImageError, ValueError):
    """None of the detectors asked has a say in the verdict."""


class PriorError(GenImageError, ValueError):
    """A prior probability isn't strictly between 0 and 1."""


class DatasetError(GenImageError):
    """A data folder has no layout that can be read."""


class GenerationError(GenImageError):
    """A data set cannot be made, or its making cannot go on."""


class TrainingError(GenImageError):
    """A training run cannot start or go on."""


class EvaluationError(GenImageError):
    """An evaluation cannot start, go on, or be read."""


class ExplainError(GenImageError):
    """A kind of evidence does not exist, or cannot be had for this image."""
