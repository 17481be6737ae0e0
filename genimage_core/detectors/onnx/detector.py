"""Detectors that ONNX Runtime runs from a prepared file: an answer on a CPU without torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from genimage_core.detectors.detector import Detector
from genimage_core.detectors.info import DetectorInfo, InputSpec
from genimage_core.detectors.onnx.activation_ranges import ranges_id
from genimage_core.detectors.onnx.info_cache import Known, code_digest, exports_folder
from genimage_core.detectors.onnx.optimize import for_this_processor, processor
from genimage_core.detectors.onnx.preprocess import STEPS
from genimage_core.detectors.onnx.sessions import open_session, side_by_side
from genimage_core.utils.atomic_write import write_whole

if TYPE_CHECKING:
    import torch

    from genimage_core.detectors.base import DetectorNet

Precision = Literal["fp32", "int8", "int8_dynamic"]
VIEWS_A_PASS = 2
"""The same everywhere: scores must not depend on the number of cores. Larger passes gain nothing on a CPU."""


def prepared_path(name: str, weights_id: str, precision: Precision) -> Path:
    """Where the prepared model of one detector lies; other weights, code or packages give another name."""
    return exports_folder() / f"{_stem(name, weights_id, precision)}-{processor()}.ort"


def portable_path(name: str, weights_id: str, precision: Precision) -> Path:
    """Where `prepare --portable` keeps the same model for machines with other processors."""
    return exports_folder() / f"{_stem(name, weights_id, precision)}.onnx"


def _stem(name: str, weights_id: str, precision: Precision) -> str:
    found = ranges_id(name, weights_id) if precision == "int8" else ""
    return f"{name}-{weights_id}-{code_digest()}-{precision}{found and '_' + found}"


def find_export(name: str, weights_id: str, precision: Precision) -> Path | None:
    """The prepared model that was kept, laid out for this processor first where that is needed.

    Raises:
        ImportError: there is no ONNX Runtime here.
    """
    path = prepared_path(name, weights_id, precision)
    if path.is_file():
        return path
    try:
        model = portable_path(name, weights_id, precision).read_bytes()
        write_whole(path, for_this_processor(model))
    except OSError:
        return None
    return path


class OnnxDetector(Detector):
    """A detector whose network ONNX Runtime runs on the CPU; torch is loaded only for what needs it.

    Args:
        model: path of the prepared file, or an ONNX model's bytes.
        known: the detector's facts.
        weights_id: sha256 of the weights.
        load_net: makes the torch network, for views of another size and for those who look inside.
        precision: of the model.
    """

    def __init__(
        self,
        model: str | bytes,
        known: Known,
        weights_id: str,
        load_net: Callable[[], DetectorNet],
        precision: Precision = "fp32",
    ) -> None:
        self._known, self._load_net = known, load_net
        self.weights_id, self.precision = weights_id, precision
        self._session = open_session(model)
        self._loading = threading.Lock()
        self._torch: Detector | None = None

    @property
    def info(self) -> DetectorInfo:
        """The detector's facts."""
        return self._known.info

    @property
    def spec(self) -> InputSpec:
        """How an image reaches the network."""
        return self._known.spec

    @property
    def net(self) -> DetectorNet:
        """The torch network, loaded when it is first asked for."""
        return self._in_torch().net

    @property
    def device(self) -> torch.device:
        """The CPU."""
        import torch

        return torch.device("cpu")

    def _in_torch(self) -> Detector:
        with self._loading:
            if self._torch is None:
                self._torch = Detector(self._load_net(), self.device, self.weights_id)
            return self._torch

    def run(self, stack: np.ndarray) -> np.ndarray:
        """(N, S, S, 3) uint8 -> (N,) float32 log-odds; views of other sizes than the tile's take torch."""
        side = self.spec.tile
        if stack.shape[1:3] != (side, side):
            return self._in_torch().run(stack)
        # Two views go one by one: a second core would have nothing to do.
        size = VIEWS_A_PASS if len(stack) > VIEWS_A_PASS else 1
        parts = [stack[at : at + size] for at in range(0, len(stack), size)]
        return np.concatenate(side_by_side([partial(self._pass, part) for part in parts]))

    def _pass(self, stack: np.ndarray) -> np.ndarray:
        step = self._known.host_step
        found: Any = self._session.run(None, {"views": STEPS[step](stack) if step else stack})[0]
        return found
