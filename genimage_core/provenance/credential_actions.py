"""What a manifest's actions and metadata say: digital source types, software agents, descriptions, edits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genimage_core.provenance.generators import agent_name

_OPENING = {"c2pa.created", "c2pa.opened", "c2pa.placed"}
_MAKING = {"c2pa.created": False, "c2pa.edited": True, "c2pa.drawing": True, "c2pa.filtered": True}
_AI_WORDS = re.compile(
    r"(an? )?(image |picture |photo |content )?(AI[- ]generated|(made|created|generated) (with|by|using) "
    r"(generative )?(AI|artificial intelligence))( (image|picture|photo|content|art|artwork))?",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(no|not|non|without|never)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """One statement of how a picture came about.

    Attributes:
        term: the digital source type, "" for none.
        agent: the program that did it, "" for none.
        description: the action's description, "" for none.
        making: whether the action made or changed the picture, None where it is no action.
        part: whether it changed one that was there.
    """

    term: str
    agent: str = ""
    description: str = ""
    making: bool = False
    part: bool = False

    @property
    def by_generator(self) -> bool:
        """Whether agent or description name a generator as what made or changed the picture."""
        described = not _DENIAL.search(self.description) and (
            bool(agent_name(self.description)) or bool(_AI_WORDS.fullmatch(self.description.strip(" .")))
        )
        return self.making and (bool(agent_name(self.agent)) or described)

    @property
    def words(self) -> str:
        """Agent and description, as the file has them; "" where it has one of them at most."""
        return f"{self.agent}: {self.description}" if self.agent and self.description else ""


def actions(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every action of a manifest, in turn.

    Args:
        manifest: as c2pa's reader gives it.
    """
    for assertion in manifest.get("assertions") or []:
        data = assertion.get("data") if isinstance(assertion, dict) else None
        if isinstance(data, dict) and str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from (action for action in data.get("actions") or [] if isinstance(action, dict))


def read_said(manifest: Mapping[str, Any]) -> list[Said]:
    """The statements of a manifest's actions and of its metadata assertions, each once.

    Args:
        manifest: as c2pa's reader gives it.
    """
    found: dict[tuple[str, str], Said] = {}
    for action in actions(manifest):
        said = _of_action(action)
        if said.term or said.by_generator:
            found[said.term, "" if said.term else said.agent] = said
    for assertion in manifest.get("assertions") or []:
        data = assertion.get("data") if isinstance(assertion, dict) else None
        for key, term in data.items() if isinstance(data, dict) else ():
            if str(key).lower().endswith(":digitalsourcetype"):
                found.setdefault((str(term), ""), Said(str(term)))
    return list(found.values())


def _of_action(action: Mapping[str, Any]) -> Said:
    agent = action.get("softwareAgent") or ""
    if isinstance(agent, dict):
        agent = f"{agent.get('name', '')} {agent.get('version', '')}".strip()
    parameters = action.get("parameters")
    description = action.get("description") or (
        parameters.get("description") if isinstance(parameters, dict) else ""
    )
    name = str(action.get("action", ""))
    return Said(
        term=str(action.get("digitalSourceType") or ""),
        agent=str(agent),
        description=str(description or ""),
        making=name in _MAKING,
        part=_MAKING.get(name, False),
    )


def edits(manifest: Mapping[str, Any]) -> list[str]:
    """The actions after the opening ones, without their prefix, eight at most.

    Args:
        manifest: as c2pa's reader gives it.
    """
    names = [str(action.get("action", "")) for action in actions(manifest)]
    return [name.removeprefix("c2pa.") for name in dict.fromkeys(names) if name and name not in _OPENING][:8]
