"""Fenced blocks of the documentation, and the commands in them.

A comment `<!-- long: why -->` in the line above a block says that its commands are not run by the tests, only
checked: the command and its options exist.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"(?:^<!-- long: (.+?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(python -m genimage_core [^`]+)`")
_COMMAND = re.compile(r"([A-Z_]+=\S+ )*(python|pip|make|genimage|docker)\b")


@dataclass(frozen=True)
class Block:
    """A fenced block; `long` is why it is not run, empty where it is."""

    language: str
    text: str
    long: str


@dataclass(frozen=True)
class Command:
    """A command line; `environment` stands in front of it."""

    environment: dict[str, str]
    words: list[str]
    long: str

    def __str__(self) -> str:
        return shlex.join(self.words)


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [Block(language, text, long) for long, language, text in found]


def commands(page: Path) -> list[Command]:
    """Every command in a page's fenced blocks, in order."""
    found = []
    for block in blocks(page):
        if block.language not in ("", "bash", "sh"):
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            if _COMMAND.match(line):
                found.append(_read(line, block.long))
    return found


def inline_commands(page: Path) -> list[Command]:
    """Commands of the product that stand inside of sentences; they are never run."""
    return [_read(" ".join(t.split()), "inline") for t in _INLINE.findall(page.read_text(encoding="utf-8"))]


def _read(line: str, long: str) -> Command:
    # What may be left out stands in brackets.
    words = shlex.split(re.sub(r"(?<!\S)\[(--[^\]]+)\]", r"\1", line), comments=True)
    environment = {}
    while "=" in words[0]:
        name, _, environment[name] = words.pop(0).partition("=")
    return Command(environment, words, long)
