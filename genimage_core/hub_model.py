"""A detector as a hub model: `save_pretrained`, `push_to_hub`, `from_pretrained`, and a card of its facts.

What is saved is a weight set, too: `load_detector(name, weights=FOLDER)` reads the same folder.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin
from huggingface_hub.repocard_data import EvalResult
from safetensors.torch import save_file

from genimage_core.detectors import DetectorInfo, detector_class
from genimage_core.detectors.weights import MANIFEST, file_sha256, load_state, weights_entry
from genimage_core.paths import asset

WEIGHTS = "model.safetensors"
_METRICS = {"accuracy": "Accuracy", "auroc": "AUROC"}


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
        """The detector's own card, under metadata with what was measured with these weights."""
        return model_card(self.info, self.weights_id)


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
        library_name="genimage-lab",
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


def model_card(info: DetectorInfo, weights_id: str) -> ModelCard:
    """The card beside the detector's file, and as its model-index what was measured with these weights.

    Args:
        info: the detector's facts.
        weights_id: sha256 of the weights; results of other weights are left out.
    """
    results = measured_results(info.name, weights_id)
    data = ModelCardData(
        license="apache-2.0",
        library_name="genimage-lab",
        pipeline_tag="image-classification",
        tags=["ai-image-detection", "genimage"],
        model_name=info.title if results else None,
        eval_results=results or None,
    )
    text = info.card_path.read_text(encoding="utf-8") if info.card_path.is_file() else f"# {info.title}\n"
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}")


def measured_results(name: str, weights_id: str) -> list[EvalResult]:
    """What stands in assets/measured for exactly these weights: one accuracy and one AUROC a test set."""
    found = []
    for path in sorted(asset("measured").glob(f"*/{name}.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        manifest = data.get("manifest", {})
        if manifest.get("weights_sha256") != weights_id:
            continue
        for metric, title in _METRICS.items():
            if metric in data.get("pooled", {}):
                found.append(_result(path.parent.name, metric, title, data["pooled"][metric], manifest))
    return found


def _result(
    data_set: str, metric: str, title: str, figure: dict[str, float], manifest: dict[str, Any]
) -> EvalResult:
    return EvalResult(
        task_type="image-classification",
        dataset_type=re.sub(r"\W+", "-", data_set),
        dataset_name=f"{data_set} (n = {figure['n']}, degradation: {manifest.get('condition', 'none')})",
        dataset_revision=manifest.get("data_sha256"),
        metric_type=metric,
        metric_value=figure["value"],
        metric_name=f"{title}, 95 % interval {figure['low']} to {figure['high']}",
    )
