"""Programs that people run themselves, for Stable Diffusion, FLUX and their relatives: what each writes."""

from __future__ import annotations

import re
from typing import Any

from genimage_core.provenance.generators.forms import (
    PARAMETERS,
    any_of,
    chunks_with,
    json_in,
    json_with,
    model_of,
    pattern_in,
)
from genimage_core.provenance.generators.register import Generator
from genimage_core.provenance.generators.texts import Text, Texts

_STEPS = re.compile(r"\bSteps: \d+, ")
_SETTINGS = re.compile(
    r"\b(Sampler: [\w+]|CFG scale: [\d.]+|Guidance Scale: [\d.]+|Seed: \d+|Size: \d+x\d+|Model(?: hash)?: \S)"
)
_LINE = 4000  # characters behind "Steps:" in which its companions stand
_MOST_LINES = 50


def infotext(text: Text) -> str | None:
    """The line of settings that AUTOMATIC1111's web UI writes, wherever it stands in the text; None for none.

    It starts with `Steps: N, ` and names at least two more settings; extensions append templates behind it,
    which may be long.
    """
    starts = [match.start() for match in _STEPS.finditer(text.words)]
    for start in reversed(starts[-_MOST_LINES:]):
        line = text.words[start : start + _LINE]
        if len({found.split(":")[0] for found in _SETTINGS.findall(line)}) >= 2:
            return line
    return None


def _infotext_of(mark: str) -> Any:
    """Form: such a line, in a text that also matches a pattern ("" for any)."""
    pattern = re.compile(mark)

    def form(text: Text, texts: Texts) -> str | None:
        line = infotext(text)
        if line is None or not pattern.search(text.words):
            return None
        model = re.search(r"\bModel: ([^,\n]+)", line)
        return f"{PARAMETERS}, model {model[1]}" if model else PARAMETERS

    return form


def _is_graph(value: dict[str, Any]) -> bool:
    """Whether an object is a graph of ComfyUI: its prompt (nodes by number) or its workflow."""
    inner = [node for node in value.values() if isinstance(node, dict)]
    if any(isinstance(node.get("class_type"), str) and "inputs" in node for node in inner):
        return True
    nodes = value.get("nodes")
    if not isinstance(nodes, list) or not ({"links", "last_node_id"} & set(value)):
        return False
    return any(isinstance(node, dict) and "type" in node for node in nodes)


def _comfyui(text: Text, texts: Texts) -> str | None:
    graphs = [value for value in text.objects if _is_graph(value)]
    if not graphs:
        return None
    inputs = [node.get("inputs") for node in graphs[0].values() if isinstance(node, dict)]
    models = [model_of(i) for i in inputs if isinstance(i, dict) and {"ckpt_name", "unet_name"} & set(i)]
    return "workflow" + (f", {models[0]}" if models else "")


def _civitai(text: Text, texts: Texts) -> str | None:
    if not any(_is_graph(value) for value in text.objects):
        return None
    marked = any("extraMetadata" in value or value.get("airs") for value in text.objects)
    return "workflow" if marked else None


def _novelai(text: Text, texts: Texts) -> str | None:
    if text.field == "software" and text.words.strip() == "NovelAI":
        return texts.get("source", text.kind) or PARAMETERS
    settings = any({"prompt", "sampler", "uc"} <= set(value) for value in text.objects)
    return (texts.get("source", text.kind) or PARAMETERS) if settings else None


LOCAL = (
    Generator(
        "Fooocus",
        "JSON in `parameters`, PNG `Comment`, JPEG comment or UserComment, whose `version` or"
        " `software` starts with Fooocus; text with `Version: Fooocus`; PNG `fooocus_scheme`; Software",
        "https://github.com/lllyasviel/Fooocus modules/meta_parser.py;"
        " https://github.com/MoonRide303/Fooocus-MRE modules/private_logger.py",
        any_of(
            json_with(where={"version": r"Fooocus\b"}),
            json_with(where={"software": r"Fooocus\b"}),
            _infotext_of(r"\bVersion: Fooocus\b"),
            lambda text, texts: (
                PARAMETERS if text.field == "parameters" and texts.get("fooocus_scheme", text.kind) else None
            ),
        ),
        maker=r"Fooocus",
    ),
    Generator(
        "RuinedFooocus",
        'JSON in `parameters` with `"software": "RuinedFooocus"`',
        "https://github.com/runew0lf/RuinedFooocus modules/async_worker.py",
        json_with(where={"software": r"RuinedFooocus"}),
        maker=r"RuinedFooocus",
    ),
    Generator(
        "SwarmUI",
        "JSON with `sui_image_params` in `parameters`, UserComment, or (2023) EXIF Model",
        "https://github.com/mcmonkeyprojects/SwarmUI src/Media/ImageFile.cs",
        json_with("sui_image_params"),
        maker=r"(Stable)?SwarmUI|StableSwarm",
    ),
    Generator(
        "Civitai",
        "ComfyUI's graph with `extraMetadata` or `airs` in UserComment; AUTOMATIC1111's text with"
        " `Civitai resources`",
        "https://github.com/civitai/civitai src/utils/metadata/comfy.metadata.ts",
        any_of(_civitai, _infotext_of(r"\bCivitai (resources|metadata): ")),
    ),
    Generator(
        "ComfyUI",
        "graph as JSON in `prompt` or `workflow` (PNG text or `comf` chunk), in EXIF Make, Model,"
        " ImageDescription or UserComment, in XMP, in a comment",
        "https://github.com/comfyanonymous/ComfyUI nodes.py, comfy_extras/nodes_images.py",
        _comfyui,
        maker=r"ComfyUI",
    ),
    Generator(
        "Easy Diffusion",
        "one PNG text chunk a setting, or JSON in UserComment: `use_stable_diffusion_model` (older:"
        " `Stable Diffusion model`) beside sampler, steps, seed",
        "https://github.com/easydiffusion/easydiffusion ui/easydiffusion/utils/save_utils.py",
        any_of(
            json_with("use_stable_diffusion_model"),
            json_with("Stable Diffusion model", "Sampler"),
            chunks_with(
                "use_stable_diffusion_model", "sampler_name", "num_inference_steps", "seed", "guidance_scale"
            ),
            chunks_with("stable diffusion model", "sampler", "steps", "seed", "guidance scale"),
        ),
    ),
    Generator(
        "mflux",
        "JSON with `mflux_version` in UserComment; XMP CreatorTool `MFLUX`",
        "https://github.com/filipstrand/mflux src/mflux/utils/image_util.py, metadata_builder.py",
        json_with("mflux_version"),
        maker=r"mflux",
    ),
    Generator(
        "Draw Things",
        "JSON with `c`, `uc`, `sampler`, `seed` in XMP's UserComment; CreatorTool",
        "https://github.com/receyuki/stable-diffusion-prompt-reader sd_prompt_reader/format/drawthings.py",
        json_with("c", "uc", "sampler", "seed"),
        maker=r"Draw Things",
    ),
    Generator(
        "NovelAI",
        "PNG Software `NovelAI`; JSON with `prompt`, `sampler`, `uc` in Comment; the same hidden in the"
        " lowest bits",
        "https://github.com/NovelAI/novelai-image-metadata nai_meta.py",
        _novelai,
        maker=r"NovelAI",
    ),
    Generator(
        "InvokeAI",
        "JSON in `invokeai_metadata`, `invokeai_graph`, `invokeai_workflow` or `sd-metadata`; `Dream` with a"
        ' command line such as `"a cat" -s 50 -S 1 -W 512 -H 512`',
        "https://github.com/invoke-ai/InvokeAI invokeai/app/services/image_files;"
        " https://github.com/d3x-at/sd-parsers parsers/_invokeai",
        any_of(
            json_in("invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata"),
            # The command line's short options: steps, seed, width, height, scale, sampler.
            pattern_in(r"(?s) -[sSWHCA] ?[\w.]+.* -[sSWHCA] ?[\w.]+", "dream"),
        ),
        maker=r"Invoke ?AI",
    ),
    Generator(
        "SD.Next",
        "AUTOMATIC1111's text with `App: SD.Next`",
        "https://github.com/vladmandic/sdnext modules/processing_info.py",
        _infotext_of(r"\bApp: SD\.?Next\b"),
        maker=r"SD\.?Next",
    ),
    Generator(
        "Stable Diffusion web UI",
        "`Steps: 20, Sampler: …, CFG scale: …, Seed: …` in `parameters`, UserComment, a GIF's or"
        " JPEG's comment, or any other text field; the same hidden in the lowest bits",
        "https://github.com/AUTOMATIC1111/stable-diffusion-webui modules/images.py;"
        " https://github.com/ashen-sensored/sd_webui_stealth_pnginfo scripts/stealth_pnginfo.py",
        _infotext_of(""),
        maker=r"AUTOMATIC1111|Stable[- ]Diffusion[- ]Web[- ]?UI",
    ),
)
"""In the order in which a text is tried: forms that build on another's come before it."""
