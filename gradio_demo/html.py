"""Answers as HTML for the demo's pages. Everything that comes from a file is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from genimage_core.verdict.combine import Label
from genimage_core.verdict.labels import LABEL_STYLES


def verdict(answer: Mapping[str, Any]) -> str:
    """A verdict, the sentence that explains it, and what must be known about this picture."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in answer["notes"])
    origin = answer["provenance"].get("explanation") or ""
    return (
        f"<h2>{_said(answer['verdict'])}</h2>"
        f"<p>Combined P(fake): <b>{answer['p_fake']:.2f}</b>. {escape(answer['explanation'])}</p>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + (f"<p><b>What the file says of itself:</b> {escape(origin)}</p>" if origin else "")
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
