"""GenImage Lab's core: images, degradations, detectors, training and the published tables.

Importable without streamlit or gradio. The conventions that hold everywhere: images are RGB uint8
arrays of shape (H, W, 3); scores are P(fake) in [0, 1]; labels are `ai` and `nature` on disk, and
fake = 1, real = 0 in code.

The public calls are `detect`, `degrade`, `evaluate`, `audit` and `load_detector`. They are loaded when they
are asked for: importing the package itself loads neither torch nor numpy.
"""

from typing import TYPE_CHECKING, Any

from genimage_core.utils.versions import __version__ as __version__

if TYPE_CHECKING:
    from genimage_core.api import audit, degrade, detect, evaluate, load_detector

__all__ = ["audit", "degrade", "detect", "evaluate", "load_detector"]


def __getattr__(name: str) -> Any:
    """Load a public call when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from genimage_core import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
