"""The form of an entry in the register of generators, and the rules for names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from genimage_core.provenance.generators.forms import Form

# What may follow a program's name where it names itself: a version, and a note in brackets.
_VERSION = r"(?:[ /_,-]*v?(?:ersion )?\d[\w.+\-]*)?(?: *\([^)]*\))?"


@dataclass(frozen=True)
class Generator:
    """A generator and how its files are recognised.

    Attributes:
        name: as it is shown.
        fields: which field holds which form, for the documentation.
        sources: where that is known from: public addresses, with the file in a repository.
        form: recognises its own text; None where it has no form but its name.
        maker: regular expression of its name where a file names the program or device that made it (Software,
            Make, CreatorTool); the whole value must match, but for a version.
        credit: regular expression of the credit line that it writes; the whole value must match.
        agent: regular expression of its name in a signed Content Credential; `maker` by default.
        loose: whether its form is a text that people might write as well, so that camera facts outrank it.
    """

    name: str
    fields: str
    sources: str
    form: Form | None = None
    maker: str = ""
    credit: str = ""
    agent: str = ""
    loose: bool = False

    def made(self, value: str) -> bool:
        """Whether a field that names a file's maker names this generator.

        Args:
            value: the field's text.
        """
        return bool(self.maker) and bool(self._maker.fullmatch(value.strip()[:200]))

    def credited(self, value: str) -> bool:
        """Whether a credit is the one that this generator writes.

        Args:
            value: the field's text.
        """
        return bool(self.credit) and bool(self._credit.fullmatch(value.strip(" .")[:200]))

    def acted(self, value: str) -> bool:
        """Whether a signed text about a program names this generator.

        Args:
            value: the text.
        """
        return bool(self.agent or self.maker) and bool(self._agent.search(value[:500]))

    @cached_property
    def _maker(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self.maker}){_VERSION}", re.IGNORECASE)

    @cached_property
    def _credit(self) -> re.Pattern[str]:
        return re.compile(self.credit, re.IGNORECASE)

    @cached_property
    def _agent(self) -> re.Pattern[str]:
        return re.compile(self.agent or rf"(?<!\w)(?:{self.maker})(?!\w)", re.IGNORECASE)
