"""A detector as a hub model: `save_pretrained`, `push_to_hub`, `from_pretrained`, and a card of its facts.

What is saved is a weight set, too: `load_detector(name, weights=FOLDER)` reads the same folder.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, PyTorchModelHubMixin
from safetensors.torch import save_file

from genimage_core.detectors import DetectorInfo, detector_class
from genimage_core.detectors.weights.store import MANIFEST, file_sha256, load_state, weights_entry
from genimage_core.results.cards import LIBRARY, model_card

WEIGHTS = "model.safetensors"


class HubModel(PyTorchModelHubMixin):
    """What `hub_class` adds to a detector's network."""

    entry: dict[str, Any]
    weights_id: str
    info: DetectorInfo

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write the tensors and a manifest with their sha256, so that `load_detector` reads the folder."""
        state = {key: value.detach().cpu().contiguous() for key, value in self.state_dict().items()}  # type: ignore[attr-defined]
        path = save_directory / WEIGHTS
        # One tensor may stand under two names; safetensors refuses shared memory.
        save_file({key: value.clone() for key, value in state.items()}, path)
        facts = {key: value for key, value in self.entry.items() if key not in ("files", "bits", "group")}
        file = {"path": WEIGHTS, "sha256": file_sha256(path), "bytes": path.stat().st_size}
        manifest = {"detectors": {self.info.name: {"files": [file], **facts}}}
        (save_directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The detector's card, with what was measured with these weights (see `results/cards.py`)."""
        return model_card(self.info, self.entry or None, self.weights_id)


@cache
def hub_class(name: str) -> type[Any]:
    """A detector's network class with the hub's methods; `hub_class(name).from_pretrained(FOLDER)` loads.

    Raises:
        UnknownDetectorError: no such detector.
    """
    net = detector_class(name)
    return type(
        f"{net.__name__}Hub",
        (net, HubModel),
        {"entry": {}, "weights_id": "unknown", "__doc__": net.__doc__, "__module__": __name__},
        library_name=LIBRARY,
    )


def hub_model(name: str, weights: str | Path = "default") -> Any:
    """A detector's network with its weights and the hub's methods.

    Args:
        name: one of `list_detectors()`.
        weights: as for `load_detector`.

    Raises:
        UnknownDetectorError: no such detector.
        WeightsError: weights are missing or damaged.
    """
    state, weights_id = load_state(name, weights)
    entry = weights_entry(name, weights)
    model = hub_class(name)(**entry.get("training", {}).get("options", {}))
    model.load_state_dict(state)
    model.entry, model.weights_id = entry, weights_id
    return model.eval()
