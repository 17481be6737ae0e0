"""Answers as HTML for the demo's pages. Everything that comes from a file is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from genimage_core.verdict.combine import Label
from genimage_core.verdict.labels import ANSWER_STYLES, LABEL_STYLES, truth_style


def verdict(answer: Mapping[str, Any]) -> str:
    """The answer, how often such an answer is right, what carries it, and what must be known."""
    style = ANSWER_STYLES[answer["answer"]]
    lines = "".join(f"<li>{escape(line)}</li>" for line in [*answer["facts"], *answer["notes"]])
    origin = answer["provenance"].get("explanation") or ""
    return (
        f'<h2><span style="color: {style.colour}" aria-hidden="true">{style.shape}</span> '
        f"{escape(answer['headline'])}</h2><p>{escape(answer['sentence'])}</p><ul>{lines}</ul>"
        + (f"<p><b>What the file says of itself:</b> {escape(origin)}</p>" if origin else "")
    )


def bars(scores: Mapping[str, float], titles: Mapping[str, str]) -> str:
    """Each detector's score as a bar, in the colour of the side it is on."""
    rows = "".join(_bar(titles.get(name, name), p) for name, p in scores.items())
    return (
        '<table style="width: 100%"><caption style="text-align: left">Each detector’s score: 0 like a '
        f"photograph, 1 like an AI image</caption>{rows}</table>"
    )


def _bar(title: str, p: float) -> str:
    colour = truth_style(p >= 0.5).colour
    fill = f"height: 1em; border-radius: 3px; width: {max(p, 0.01):.0%}; background: {colour}"
    return (
        f'<tr><th scope="row" style="text-align: left; font-weight: 400">{escape(title)}</th>'
        '<td style="width: 100%"><div style="background: #8a8f9430; border-radius: 3px">'
        f'<div style="{fill}"></div></div></td><td>{p:.2f}</td></tr>'
    )


def change(answer: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """A table of scores before and after."""
    before, after = answer["before"], answer["after"]
    rows = [("All together", before["p_fake"], after["p_fake"])]
    rows += [(titles.get(n, n), p, after["detectors"][n]) for n, p in before["detectors"].items()]
    cells = "".join(
        f"<tr><td>{escape(name)}</td><td>{was:.2f}</td><td>{now:.2f}</td></tr>" for name, was, now in rows
    )
    return (
        f"<p>{_said(before['verdict'])} → <b>{_said(after['verdict'])}</b> after "
        f"<code>{escape(answer['applied'])}</code></p>"
        f"<table><tr><th>P(fake)</th><th>before</th><th>after</th></tr>{cells}</table>"
    )


def source(answer: Mapping[str, Any]) -> str:
    """Where a table comes from, and the remarks on it."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in answer["notes"])
    return (
        f"<p>{escape(answer['description'])}</p>"
        f"<p><b>Published figures, not measured here.</b> {escape(answer['source'])}.</p>"
        + (f"<ul>{notes}</ul>" if notes else "")
    )


def _said(label: Label) -> str:
    """A verdict's shape and words, as every page of the product shows it."""
    side = LABEL_STYLES[label]
    return f'<span style="color: {side.colour}">{side.shape}</span> {side.words}'
