"""The text that image generators write into their files: PNG text chunks, or the same text in EXIF.

What each program writes was read in its public source: AUTOMATIC1111 and its forks (`parameters`), ComfyUI
(`prompt`, `workflow`), SwarmUI and Fooocus (JSON in `parameters`), NovelAI (`Software`, `Comment`), InvokeAI
(`invokeai_metadata`, before `sd-metadata` and `Dream`), Midjourney (`Description` with a job's id), and the
`AIGC` label of the Chinese standard GB 45438-2025.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from genimage_core.provenance.model import GENERATOR, Finding, Kind, finding
from genimage_core.provenance.vocabulary import generator_name

_A1111 = re.compile(r"\bSteps: \d+, (?=.*\b(Sampler|Seed|CFG scale):)", re.DOTALL)
_MIDJOURNEY = re.compile(r"\bJob ID: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_INVOKE = ("invokeai_metadata", "invokeai_graph", "sd-metadata", "Dream")
_LABELS = {"1": "made by AI", "2": "possibly made by AI", "3": "suspected to be made by AI"}


def read_tool_texts(texts: Mapping[str, str], kind: Kind) -> list[Finding]:
    """Recognise the generators that wrote some text fields.

    Args:
        texts: keyword -> text.
        kind: where the fields stand.
    """
    found = (recognise(texts) for recognise in _RECOGNISERS)
    named = [
        finding(kind, GENERATOR, f"{tool}: {detail}" if detail else tool, ai=True, tool=tool)
        for tool, detail in filter(None, found)
    ]
    return named + _label(texts, kind)


def read_png_texts(texts: Mapping[str, str]) -> list[Finding]:
    """Recognise generators in PNG text chunks, and report the program that wrote the file."""
    found = read_tool_texts(texts, "png_text")
    for keyword in ("Software", "Author", "Source", "Title", "Creation Time"):
        if not (words := texts.get(keyword, "").strip()):
            continue
        tool = generator_name(words) if keyword in ("Software", "Author") else ""
        if not tool:
            found.append(finding("png_text", keyword.lower(), words))
        elif tool not in {known.tool for known in found}:
            found.append(finding("png_text", GENERATOR, f"{tool}: {words}", ai=True, tool=tool))
    return found


def _automatic1111(texts: Mapping[str, str]) -> tuple[str, str] | None:
    text = texts.get("parameters", "")
    data = _object(text)
    if "sui_image_params" in data:
        return "SwarmUI", _model_of(data["sui_image_params"])
    if "fooocus_scheme" in texts or str(data.get("version", "")).startswith("Fooocus"):
        return "Fooocus", _model_of(data)
    if not _A1111.search(text[-4000:]):
        return None
    model = re.search(r"\bModel: ([^,\n]+)", text[-4000:])
    return "Stable Diffusion web UI", f"generation parameters{f', model {model[1]}' if model else ''}"


def _comfyui(texts: Mapping[str, str]) -> tuple[str, str] | None:
    prompt, workflow = _object(texts.get("prompt", "")), _object(texts.get("workflow", ""))
    nodes = [node for node in prompt.values() if isinstance(node, dict) and "class_type" in node]
    if not nodes and not (isinstance(workflow.get("nodes"), list) and "links" in workflow):
        return None
    inputs = [node["inputs"] for node in nodes if isinstance(node.get("inputs"), dict)]
    models = [
        str(i[key]) for i in inputs for key in ("ckpt_name", "unet_name") if isinstance(i.get(key), str)
    ]
    return "ComfyUI", "workflow" + (f", model {models[0]}" if models else "")


def _novelai(texts: Mapping[str, str]) -> tuple[str, str] | None:
    comment = _object(texts.get("Comment", ""))
    if texts.get("Software", "").strip() == "NovelAI" or {"prompt", "sampler", "uc"} <= set(comment):
        return "NovelAI", texts.get("Source", "") or "generation parameters"
    return None


def _invokeai(texts: Mapping[str, str]) -> tuple[str, str] | None:
    keyword = next((keyword for keyword in _INVOKE if texts.get(keyword)), "")
    return ("InvokeAI", _model_of(_object(texts[keyword]))) if keyword else None


def _midjourney(texts: Mapping[str, str]) -> tuple[str, str] | None:
    job = _MIDJOURNEY.search(texts.get("Description", ""))
    return ("Midjourney", job[0]) if job else None


def _label(texts: Mapping[str, str], kind: Kind) -> list[Finding]:
    data = _object(texts.get("AIGC", ""))
    data = data.get("AIGC", data)
    label = str(data.get("Label", "")) if isinstance(data, dict) else ""
    if label not in _LABELS:
        return []
    producer = str(data.get("ContentProducer", ""))
    words = f"{_LABELS[label]}{f', producer {producer}' if producer else ''}"
    return [finding(kind, "AIGC label", words, ai=True if label == "1" else None)]


def _object(text: str) -> dict[str, Any]:
    """The JSON object that a text holds, {} where it holds none."""
    try:
        # ComfyUI's custom nodes write NaN, which Python's reader takes and JSON forbids.
        value = json.loads(text) if text.lstrip().startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _model_of(data: object) -> str:
    model = (
        data.get("model") or data.get("model_weights") or data.get("base_model")
        if isinstance(data, dict)
        else ""
    )
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name") or ""
    return f"model {model}" if isinstance(model, str) and model else "generation parameters"


_RECOGNISERS: tuple[Callable[[Mapping[str, str]], tuple[str, str] | None], ...] = (
    _automatic1111, _comfyui, _novelai, _invokeai, _midjourney,
)  # fmt: skip
