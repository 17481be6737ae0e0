"""Prompt, seed and model that a generator wrote into its file.

Where each program keeps them was read in its public source; `generators` lists the programs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from genimage_core.provenance.containers import read_raw
from genimage_core.provenance.exif import read_exif
from genimage_core.provenance.generators import GENERATORS
from genimage_core.provenance.generators.local import infotext
from genimage_core.provenance.generators.texts import Text, Texts, collect
from genimage_core.provenance.model import Finding, Kind
from genimage_core.provenance.xmp import read_xmp

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
    texts = collect(
        [
            *raw.texts,
            *(text for block in raw.exif for text in _quietly(read_exif, block)),
            *(text for packet in raw.xmp for text in _quietly(read_xmp, packet)),
        ]
    )
    tool, text = _tool(texts)
    settings = GenerationSettings()
    if text is not None and tool in _READERS:
        with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            settings = _READERS[tool](text, texts)
    return GenerationSettings(settings.prompt[:_TEXT_LIMIT], settings.seed, settings.model[:300], tool)


def _quietly(
    reader: Callable[[bytes], tuple[list[Finding], list[tuple[Kind, str, str]]]], block: bytes
) -> list[tuple[Kind, str, str]]:
    try:
        return reader(block)[1]
    except Exception:  # metadata are written by everyone and often broken
        return []


def _tool(texts: Texts) -> tuple[str, Text | None]:
    """The program whose form a text has, and that text."""
    for text in texts:
        for generator in GENERATORS:
            if generator.form and generator.form(text, texts) is not None:
                return generator.name, text
    return "", None


def _web_ui(text: Text, texts: Texts) -> GenerationSettings:
    """The prompt comes first, then `Negative prompt:`, then a line `Steps: 20, Sampler: ...`."""
    prompt = re.split(r"(?:^|\n)(?:Negative prompt:|Steps: \d+, )", text.words)[0].strip()
    settings = infotext(text) or ""
    seed, model = re.search(r"\bSeed: (\d+)", settings), re.search(r"\bModel: ([^,\n]+)", settings)
    return GenerationSettings(prompt, int(seed[1]) if seed else None, model[1].strip() if model else "")


def _civitai(text: Text, texts: Texts) -> GenerationSettings:
    return _comfyui(text, texts) if text.object else _web_ui(text, texts)


def _swarm(text: Text, texts: Texts) -> GenerationSettings:
    return _flat(next(o["sui_image_params"] for o in text.objects if "sui_image_params" in o))


def _fooocus(text: Text, texts: Texts) -> GenerationSettings:
    return _flat(text.object) if text.object else _web_ui(text, texts)


def _novelai(text: Text, texts: Texts) -> GenerationSettings:
    settings = next((o for one in texts for o in one.objects if "prompt" in o), {})
    prompt = str(settings.get("prompt") or texts.get("description", text.kind))
    return GenerationSettings(prompt, _whole(settings.get("seed")), texts.get("source", text.kind))


def _invokeai(text: Text, texts: Texts) -> GenerationSettings:
    data = next((t.object for t in texts if t.field in ("invokeai_metadata", "sd-metadata")), {})
    found = _flat(data.get("image") or data)
    return GenerationSettings(found.prompt, found.seed, found.model or _model(data))


def _midjourney(text: Text, texts: Texts) -> GenerationSettings:
    """`PROMPT --ar 3:2 --seed 7 --v 6 Job ID: ...`."""
    words = re.split(r"\s*\bJob ID:", text.words)[0]
    prompt, *options = re.split(r"\s--(?=[a-z])", words)
    seed = next((o.split()[1] for o in options if re.match(r"seed \d+", o)), None)
    version = next((o.split()[1] for o in options if re.match(r"(v|version|niji) \S", o)), "")
    return GenerationSettings(prompt.strip(), _whole(seed), f"Midjourney {version}".strip())


def _comfyui(text: Text, texts: Texts) -> GenerationSettings:
    """The sampler's node has the seed, and links to the node that holds the prompt."""
    graphs = (o for one in (text, *texts) for o in one.objects if _is_prompt(o))
    graph: Mapping[str, Any] = next(graphs, {})
    inputs = {key: node.get("inputs") for key, node in graph.items() if isinstance(node, dict)}
    nodes = {key: values for key, values in inputs.items() if isinstance(values, dict)}
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


def _is_prompt(graph: Mapping[str, Any]) -> bool:
    """Whether an object holds nodes by number, as they ran, rather than the editor's workflow."""
    return any(isinstance(node, dict) and "class_type" in node for node in graph.values())


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


_READERS: Mapping[str, Callable[[Text, Texts], GenerationSettings]] = {
    "Stable Diffusion web UI": _web_ui,
    "SD.Next": _web_ui,
    "Civitai": _civitai,
    "SwarmUI": _swarm,
    "Fooocus": _fooocus,
    "NovelAI": _novelai,
    "InvokeAI": _invokeai,
    "Midjourney": _midjourney,
    "ComfyUI": _comfyui,
}
