"""The seven detectors of the GenImage benchmark, and others, behind one call: images in, P(fake) out.

Importing this loads no torch: what needs it is loaded when it is asked for.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from genimage_core.detectors.detector import Detector
from genimage_core.detectors.info import DetectorInfo, InputSpec, Preprocessing
from genimage_core.detectors.registry import (
    OwnDetectors,
    build_network,
    detector_class,
    detector_info,
    list_detectors,
    load_detector,
    register_detector,
    take_own_detectors,
)

if TYPE_CHECKING:
    from genimage_core.detectors.base import DetectorNet

__all__ = [
    "Detector",
    "DetectorInfo",
    "DetectorNet",
    "InputSpec",
    "Preprocessing",
    "build_network",
    "detector_class",
    "detector_info",
    "list_detectors",
    "load_detector",
    "register_detector",
]


def _own_exist() -> bool:
    from genimage_core.detectors.custom.config import configs_folder

    return configs_folder() is not None


def _register_own(taken: Collection[str]) -> object:
    from genimage_core.detectors.custom.config import configs_folder
    from genimage_core.detectors.custom.register import register_configs

    return register_configs(configs_folder(), taken)


take_own_detectors(OwnDetectors(_own_exist, _register_own))


def __getattr__(name: str) -> Any:
    """Load the networks' base class, and torch with it, when it is first asked for."""
    if name == "DetectorNet":
        from genimage_core.detectors.base import DetectorNet

        return DetectorNet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
