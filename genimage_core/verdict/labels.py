"""One visual language for real, unsure and fake: a word, a shape and a colour, never a colour alone.

Blue and orange stay apart in every common form of colour blindness, and the shapes without any colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from genimage_core.verdict.answer import HEADLINES, AnswerName
from genimage_core.verdict.combine import Label


@dataclass(frozen=True)
class LabelStyle:
    """How one verdict looks wherever it is shown.

    Attributes:
        words: the verdict as a reader sees it.
        short: the same in a word or two, for tables and filters.
        shape: a geometric character that stands before the words.
        css: class that carries the colour in the style sheets.
        colour: of bars and marks, "#rrggbb"; reads on light and on dark.
        ink_light, ink_dark: of text on a light and on a dark page (contrast of 4.5 or more).
    """

    words: str
    short: str
    shape: str
    css: str
    colour: str
    ink_light: str
    ink_dark: str


LABEL_STYLES: Mapping[Label, LabelStyle] = MappingProxyType(
    {
        "fake": LabelStyle(
            "Probably AI-generated", "AI-generated", "◆", "gl-fake", "#e07b1a", "#9a4a00", "#f2a65a"
        ),
        "unsure": LabelStyle("Unsure", "Unsure", "◐", "gl-unsure", "#8a8f94", "#5a5f65", "#b4b9be"),
        "real": LabelStyle(
            "Probably a photograph", "Photograph", "●", "gl-real", "#2f86c1", "#1b5f92", "#7dbce8"
        ),
    }
)
"""The three verdicts, from AI-generated to photograph."""


ANSWER_STYLES: Mapping[AnswerName, LabelStyle] = MappingProxyType(
    {
        "file_says_ai": replace(
            LABEL_STYLES["fake"], words=HEADLINES["file_says_ai"], short="AI, says the file"
        ),
        "ai": replace(LABEL_STYLES["fake"], words=HEADLINES["ai"]),
        "leans_ai": replace(LABEL_STYLES["fake"], words=HEADLINES["leans_ai"], short="Leans AI", shape="◇"),
        "cannot_tell": replace(LABEL_STYLES["unsure"], words=HEADLINES["cannot_tell"], short="Can't tell"),
        "leans_photo": replace(
            LABEL_STYLES["real"], words=HEADLINES["leans_photo"], short="Leans photograph", shape="○"
        ),
        "photo": replace(LABEL_STYLES["real"], words=HEADLINES["photo"]),
        "graphic": replace(LABEL_STYLES["unsure"], words=HEADLINES["graphic"], short="A graphic", shape="□"),
    }
)
"""The seven answers, from AI-generated to photograph, and what can't be judged."""


ZONE_NAMES: tuple[AnswerName, ...] = ("photo", "leans_photo", "cannot_tell", "leans_ai", "ai")
"""What the five zones of P(fake) answer, in ascending order."""


def truth_style(truth: bool) -> LabelStyle:
    """The side of a known truth: True for AI-generated."""
    return LABEL_STYLES["fake" if truth else "real"]


def colours_css() -> str:
    """The colours as CSS variables and classes, for the pages and the report alike."""
    sides = LABEL_STYLES.values()
    tones = " ".join(f"--{s.css}: {s.colour};" for s in sides)
    inks = " ".join(f"--{s.css}-ink: light-dark({s.ink_light}, {s.ink_dark});" for s in sides)
    classes = "\n".join(
        f".{s.css} {{ --gl-side: var(--{s.css}); --gl-ink: var(--{s.css}-ink); }}" for s in sides
    )
    # light-dark() resolves where the variable is declared, so it is declared inside of what sets the scheme.
    return f":root {{ {tones} }}\n:root, .stApp, .stApp * {{ {inks} }}\n{classes}\n"
