"""Services on the web: what each writes into the files that it hands out."""

from __future__ import annotations

import re

from genimage_core.provenance.generators.register import Generator
from genimage_core.provenance.generators.texts import Text, Texts

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_JOB = re.compile(rf"\bJob ID: {_UUID}\s*$", re.IGNORECASE)
_OPTION = re.compile(r"\s--[a-z]+\b")
_DESCRIPTIONS = ("description", "imagedescription")
_XAI = re.compile(r"Signature:\s*[A-Za-z0-9+/=_-]{40,}\s*$")


def _midjourney(text: Text, texts: Texts) -> str | None:
    job = _JOB.search(text.words) if text.field in _DESCRIPTIONS else None
    if not job:
        return None
    # A print shop numbers its jobs, too: only beside the prompt's options, or the two chunks that go with it.
    beside = {"author", "creation time"} <= texts.fields(text.kind)
    return job[0].strip() if beside or _OPTION.search(text.words) else None


def _grok(text: Text, texts: Texts) -> str | None:
    if text.field != "imagedescription" or not _XAI.match(text.words.strip()):
        return None
    return "signature" if re.fullmatch(_UUID, texts.get("artist", text.kind).strip(), re.IGNORECASE) else None


SERVICES = (
    Generator(
        "Midjourney",
        "description that ends in `Job ID: UUID`, with the prompt's `--options` or beside PNG Author and"
        " Creation Time; DigitalSourceType",
        "https://github.com/Ktiseos-Nyx/Dataset-Tools Midjourney parser; https://iptc.org/news/tag/google-images/",
        _midjourney,
        maker=r"Midjourney",
        loose=True,
    ),
    Generator(
        "xAI Grok",
        "EXIF ImageDescription `Signature: BASE64` beside Artist, a UUID",
        "https://github.com/wiltodelta/remove-ai-watermarks docs/supported-signals.md, metadata.py",
        _grok,
        agent=r"\bgrok\b|\bx\.?ai\b",
    ),
    Generator(
        "Ideogram",
        "EXIF Make `Ideogram AI`",
        "https://github.com/wiltodelta/remove-ai-watermarks data/synthid/README.md",
        maker=r"Ideogram( AI)?",
    ),
    Generator(
        "Google AI",
        "IPTC credit `Made with Google AI`, `Edited with Google AI`; Content Credential",
        "https://github.com/wiltodelta/remove-ai-watermarks data/synthid/README.md; https://iptc.org/news/2025/08",
        maker=r"Google (AI|Imagen|Gemini)|Imagen \d|Gemini \d|Nano Banana",
        credit=r"(Made|Edited|Created) with Google AI",
        agent=r"google (ai|imagen|gemini|generative ai)|\bimagen \d|\bgemini \d|nano banana",
    ),
    Generator(
        "Meta AI",
        "DigitalSourceType",
        "https://iptc.org/news/meta-announces-support-for-iptc-metadata-in-generative-ai-images/",
        agent=r"\bmeta ai\b",  # no maker: cameras in Meta's glasses write "Meta AI" as their make
    ),
    Generator(
        "OpenAI (DALL·E)",
        "Content Credential; its name as the maker",
        "https://help.openai.com/en/articles/8912793-c2pa-in-dall-e-3",
        maker=r"(OpenAI[ -]*)?DALL[·•\-\s]?E",
    ),
    Generator(
        "OpenAI",
        "Content Credential: ChatGPT, GPT-4o, gpt-image",
        "https://help.openai.com/en/articles/8912793-c2pa-in-dall-e-3",
        maker=r"ChatGPT|GPT-4o|GPT[- ]Image|OpenAI([- ]API)?",
        agent=r"chatgpt|gpt-4o|gpt[- ]image|\bopenai\b",
    ),
    Generator(
        "Microsoft Image Creator",
        "Content Credential: softwareAgent `Image Creator from Designer`, `Bing Image Creator`",
        "https://github.com/wiltodelta/remove-ai-watermarks data/synthid/README.md",
        maker=r"(Microsoft|Bing) Image Creator|Image Creator from (Microsoft )?(Designer|Bing)",
    ),
    Generator(
        "Adobe Firefly",
        "Content Credential; its name as the maker",
        "https://github.com/wiltodelta/remove-ai-watermarks docs/module-internals.md",
        maker=r"Adobe[ _]Firefly",
    ),
    Generator(
        "FLUX (Black Forest Labs)",
        "Content Credential; watermark",
        "https://github.com/black-forest-labs/flux src/flux/util.py",
        maker=r"Black Forest Labs|FLUX[. ]?[12]([. ]?\w+)?",
        agent=r"black forest labs|\bflux[. ][12]\b",
    ),
    Generator(
        "Stable Diffusion",
        "Content Credential of Stability AI; its name as the maker; watermark",
        "https://github.com/wiltodelta/remove-ai-watermarks data/synthid/README.md;"
        " https://github.com/CompVis/stable-diffusion scripts/txt2img.py",
        maker=r"Stable[- ]?Diffusion( XL)?|DreamStudio|Stability[. ]?AI|SDXL",
    ),
    Generator(
        "Leonardo.Ai",
        "only its name as the maker",
        "https://github.com/wiltodelta/remove-ai-watermarks data/synthid/README.md (nothing of its own)",
        maker=r"Leonardo[. ]?Ai",
    ),
    Generator(
        "Recraft",
        "only its name in a Content Credential",
        "https://github.com/wiltodelta/remove-ai-watermarks data/synthid/README.md (exports carry nothing)",
        agent=r"\brecraft\b",
    ),
)
"""Most of these write an IPTC digital source type, too, which `vocabulary` reads."""
