"""The seven detectors of the GenImage benchmark, and others, behind one call: images in, P(fake) out."""

from genimage_core import _torchvision  # noqa: F401  (before anything imports timm)
from genimage_core.detectors.base import Detector, DetectorInfo, DetectorNet, InputSpec, Protocol
from genimage_core.detectors.registry import (
    build_network,
    detector_class,
    detector_info,
    list_detectors,
    load_detector,
    register_detector,
)

__all__ = [
    "Detector",
    "DetectorInfo",
    "DetectorNet",
    "InputSpec",
    "Protocol",
    "build_network",
    "detector_class",
    "detector_info",
    "list_detectors",
    "load_detector",
    "register_detector",
]
