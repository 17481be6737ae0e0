"""Prompt, seed and model that a generator wrote into its file.

Where each program keeps them was read in its public source; `tool_texts` lists the programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genimage_core.provenance.containers import read_raw
from genimage_core.provenance.exif import exif_texts
from genimage_core.provenance.tool_texts import read_tool_texts

_TEXT_LIMIT = 10_000
_TEXT_INPUTS = ("text", "text_g", "t5xxl", "string", "value", "positive", "conditioning")


@dataclass(frozen=True)
class GenerationSettings:
    """What a picture says that it was made of.

    Attributes:
        prompt: "" where it is not told.
        seed: None where it is not told.
        model: the checkpoint's name, "" where it is not told.
        tool: the program, as `read_provenance` names it; "" where none is known.
    """

    prompt: str = ""
    seed: int | None = None
    model: str = ""
    tool: str = ""


def read_generation_settings(data: bytes) -> GenerationSettings:
    """Read a picture's prompt, seed and model from its metadata; broken metadata never raise.

    Args:
        data: the whole file.
    """
    raw = read_raw(data)
    texts = {**exif_texts(raw.exif), **raw.texts}
    tool = next((f.tool for f in read_tool_texts(texts, "png_text") if f.tool), "")
    try:
        settings = _READERS.get(tool, _unknown)(texts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        settings = GenerationSettings()
    return GenerationSettings(settings.prompt[:_TEXT_LIMIT], settings.seed, settings.model[:300], tool)


def _unknown(texts: Mapping[str, str]) -> GenerationSettings:
    return GenerationSettings()


def _web_ui(texts: Mapping[str, str]) -> GenerationSettings:
    """The prompt comes first, then `Negative prompt:`, then a line `Steps: 20, Sampler: ...`."""
    text = texts["parameters"]
    prompt = re.split(r"(?:^|\n)(?:Negative prompt:|Steps: \d+, )", text)[0].strip()
    settings = text[text.rfind("Steps: ") :]
    seed, model = re.search(r"\bSeed: (\d+)", settings), re.search(r"\bModel: ([^,\n]+)", settings)
    return GenerationSettings(prompt, int(seed[1]) if seed else None, model[1].strip() if model else "")


def _swarm(texts: Mapping[str, str]) -> GenerationSettings:
    return _flat(json.loads(texts["parameters"])["sui_image_params"])


def _fooocus(texts: Mapping[str, str]) -> GenerationSettings:
    return _flat(json.loads(texts["parameters"]))


def _novelai(texts: Mapping[str, str]) -> GenerationSettings:
    data = json.loads(texts["Comment"])
    return GenerationSettings(
        str(data.get("prompt") or texts.get("Description", "")),
        _whole(data.get("seed")),
        texts.get("Source", ""),
    )


def _invokeai(texts: Mapping[str, str]) -> GenerationSettings:
    for keyword in ("invokeai_metadata", "sd-metadata"):
        if keyword in texts:
            data = json.loads(texts[keyword])
            image = data.get("image") or data
            found = _flat(image)
            return GenerationSettings(found.prompt, found.seed, found.model or _model(data))
    return GenerationSettings()


def _midjourney(texts: Mapping[str, str]) -> GenerationSettings:
    """`PROMPT --ar 3:2 --seed 7 --v 6 Job ID: ...`."""
    words = re.split(r"\s*\bJob ID:", texts["Description"])[0]
    prompt, *options = re.split(r"\s--(?=[a-z])", words)
    seed = next((o.split()[1] for o in options if re.match(r"seed \d+", o)), None)
    version = next((o.split()[1] for o in options if re.match(r"(v|version|niji) \S", o)), "")
    return GenerationSettings(prompt.strip(), _whole(seed), f"Midjourney {version}".strip())


def _comfyui(texts: Mapping[str, str]) -> GenerationSettings:
    """The sampler's node has the seed, and links to the node that holds the prompt."""
    graph: dict[str, Any] = json.loads(texts["prompt"])
    nodes = {key: node["inputs"] for key, node in graph.items() if isinstance(node.get("inputs"), dict)}
    seeds = (_whole(i.get(name)) for i in nodes.values() for name in ("seed", "noise_seed"))
    models = (
        i[name] for i in nodes.values() for name in ("ckpt_name", "unet_name") if isinstance(i.get(name), str)
    )
    prompts = (
        _linked_text(nodes, i[name])
        for i in nodes.values()
        for name in ("positive", "conditioning")
        if name in i
    )
    return GenerationSettings(
        next(filter(None, prompts), ""), next((s for s in seeds if s is not None), None), next(models, "")
    )


def _linked_text(nodes: Mapping[str, Mapping[str, Any]], link: object) -> str:
    """The text at the end of a link `[node, output]`, through nodes that change the conditioning."""
    waiting: list[object] = [link]
    seen: set[str] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, str) and one:
            return one
        if isinstance(one, list) and one and str(one[0]) not in seen:  # links may go in a circle
            seen.add(str(one[0]))
            inputs = nodes.get(str(one[0]), {})
            waiting += [inputs[name] for name in _TEXT_INPUTS if name in inputs]
    return ""


def _flat(data: Mapping[str, Any]) -> GenerationSettings:
    """An object with the fields themselves, under one of the names in use."""
    prompt = data.get("positive_prompt") or data.get("prompt") or ""
    if isinstance(prompt, list):  # InvokeAI before version 3: prompts with weights
        prompt = ", ".join(str(one.get("prompt", "")) for one in prompt)
    return GenerationSettings(str(prompt), _whole(data.get("seed")), _model(data))


def _model(data: Mapping[str, Any]) -> str:
    model = data.get("model") or data.get("base_model") or data.get("model_weights") or ""
    return str((model.get("name") or model.get("model_name") or "") if isinstance(model, dict) else model)


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch(r"\d{1,20}", text) else None


_READERS: Mapping[str, Callable[[Mapping[str, str]], GenerationSettings]] = {
    "Stable Diffusion web UI": _web_ui,
    "SwarmUI": _swarm,
    "Fooocus": _fooocus,
    "NovelAI": _novelai,
    "InvokeAI": _invokeai,
    "Midjourney": _midjourney,
    "ComfyUI": _comfyui,
}
