"""`gpu`: the decorator that lends a function a GPU on ZeroGPU Spaces, and does nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

try:  # before torch: the package changes how torch sees its device
    import spaces
except ImportError:
    spaces = None


def gpu(function: Function) -> Function:
    """Run a function with a GPU where the package `spaces` is installed."""
    return spaces.GPU(duration=60)(function) if spaces is not None else function


def on_zero_gpu() -> bool:
    """Whether this runs where GPUs are lent call by call."""
    return spaces is not None
