"""Scores as HTML: the verdict on its scale with the unsure band, and one bar for each detector.

Everything here is a pure function from numbers to markup; every text from outside is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import cast

from genimage_core.verdict.answer import Answer
from genimage_core.verdict.combine import Label
from genimage_core.verdict.labels import ANSWER_STYLES, LABEL_STYLES, ZONE_NAMES, LabelStyle, truth_style
from genimage_core.verdict.pipeline import Report

AXIS = (
    '<div class="gl-axis" aria-hidden="true"><span></span>'
    '<span class="gl-ends"><span>0 · photograph</span><span>AI-generated · 1</span></span>'
    "<span></span></div>"
)
ALL = "All together"
CHANGE_SHOWN = 0.005  # below this, two decimals show no change
Borders = tuple[float, float, float, float]
"""Of the five zones of the combined score, ascending."""


def side(label: str) -> LabelStyle:
    """Return how a verdict looks and reads."""
    return LABEL_STYLES[cast(Label, label)]


def verdict_words(label: str) -> str:
    """Return the verdict as a visitor reads it."""
    return side(label).words


def shape(found: LabelStyle) -> str:
    """Return the shape that stands for a verdict beside its words, hidden from those who hear the page."""
    return f'<span class="gl-shape" aria-hidden="true">{found.shape}</span>'


def chip(found: LabelStyle, words: str = "", *, quiet: bool = False) -> str:
    """Return a verdict or truth as a chip: shape, words and colour."""
    tag = "span" if quiet else "b"
    return f'<{tag} class="gl-chip {found.css}">{shape(found)}{escape(words or found.words)}</{tag}>'


def answer_card(answer: Answer | Report, p_fake: float | None, borders: Borders | None) -> str:
    """Return the answer in words, where it rests on the pixels the scale with its five zones, and why.

    Args:
        answer: what is said.
        p_fake: the combined score, where it is known.
        borders: of the zones.
    """
    style = ANSWER_STYLES[answer.answer]
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in answer.facts)
    shown = answer.basis == "pixels" and p_fake is not None and borders is not None
    return (
        f'<div class="gl-verdict {style.css}" role="status">'
        f'<p class="gl-words">{shape(style)}{escape(answer.headline)}</p>'
        f"{_gauge(p_fake, borders) if shown and p_fake is not None and borders else ''}"
        f"<p>{escape(answer.sentence)}</p>" + (f'<ul class="gl-why">{facts}</ul>' if facts else "") + "</div>"
    )


def waiting_card(text: str) -> str:
    """Return the card that stands in the verdict's place until every detector has answered."""
    words = f'<p class="gl-words gl-wait">{escape(text)}</p>'
    return f'<div class="gl-verdict gl-unsure" role="status">{words}</div>'


def score_rows(titles: Mapping[str, str], scores: Mapping[str, float]) -> str:
    """Return one row for each detector; those without a score yet say that they are waiting.

    Args:
        titles: detector name -> the title shown, in the order shown.
        scores: detector name -> P(fake), for those that have answered.
    """
    rows = [
        _row(title, _bar(title, scores.get(name)), _number(scores.get(name)))
        for name, title in titles.items()
    ]
    return _table(rows)


def change_rows(
    titles: Mapping[str, str],
    before: Mapping[str, float],
    after: Mapping[str, float],
    combined: tuple[float | None, float | None] = (None, None),
) -> str:
    """Return a row for each detector with its score now, a tick where it was, and the change.

    Args:
        titles: detector name -> the title shown, in the order shown.
        before: detector name -> P(fake) of the picture as it is.
        after: the same of the degraded picture, for those that have answered.
        combined: the combined score before and after; its row stands first.
    """
    pairs = [(ALL, *combined)] + [
        (title, before.get(name), after.get(name)) for name, title in titles.items()
    ]
    rows = [_row(title, _bar(title, now, was=was), _change(was, now)) for title, was, now in pairs]
    return _table(rows, wide=True)


def verdict_change(before: str, after: str) -> str:
    """Return the verdict before and after, in words; the arguments are verdict labels."""
    now = chip(side(after))
    if before == after:
        return f'<p class="gl-change">Still {now}</p>'
    return f'<p class="gl-change">{chip(side(before), quiet=True)} → {now}</p>'


def facts_list(facts: Sequence[tuple[str, str]]) -> str:
    """Return (label, value) pairs as a compact description list."""
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
    return f'<dl class="gl-facts">{items}</dl>'


def _gauge(p_fake: float, borders: Borders) -> str:
    edges = (0.0, *borders, 1.0)
    zones = "".join(
        f'<i class="gl-zone gl-{name}" style="left:{start:.1%};width:{end - start:.1%}" '
        f'title="{ANSWER_STYLES[name].words}"></i>'
        for name, start, end in zip(ZONE_NAMES, edges, edges[1:], strict=False)
    )
    return (
        '<div class="gl-gauge"><span class="gl-track" role="meter" aria-valuemin="0" aria-valuemax="1" '
        f'aria-label="Combined score for AI-generated" aria-valuenow="{p_fake:.2f}">'
        f'{zones}<i class="gl-pin" style="left:{p_fake:.1%}"></i></span>'
        '<span class="gl-ends"><span>photograph</span><span>can’t tell</span>'
        "<span>AI-generated</span></span></div>"
    )


def _table(rows: Sequence[str], *, wide: bool = False) -> str:
    return f'<div class="gl-rows{" gl-wide" if wide else ""}" role="list">{AXIS}{"".join(rows)}</div>'


def _row(title: str, bar: str, number: str) -> str:
    css = "gl-row gl-all" if title == ALL else "gl-row"
    return (
        f'<div class="{css}" role="listitem"><span class="gl-name">{escape(title)}</span>{bar}{number}</div>'
    )


def _bar(title: str, p: float | None, *, was: float | None = None) -> str:
    """Return a bar from 0 to p: the nearer to the middle, the greyer, as there is no line to cross."""
    middle = '<i class="gl-middle"></i>'
    if p is None:
        return f'<span class="gl-track" role="img" aria-label="{escape(title)}: waiting">{middle}</span>'
    css = truth_style(p >= 0.5).css
    fill = f'<i class="gl-fill {css}" style="width:{max(p, 0.006):.1%};--sure:{abs(2 * p - 1):.0%}"></i>'
    tick = "" if was is None else f'<i class="gl-was" style="left:{was:.1%}"></i>'
    return (
        f'<span class="gl-track" role="meter" aria-label="{escape(title)}, score for AI-generated" '
        f'aria-valuemin="0" aria-valuemax="1" aria-valuenow="{p:.2f}">{middle}{fill}{tick}</span>'
    )


def _number(p: float | None) -> str:
    return '<span class="gl-num gl-wait">…</span>' if p is None else f'<span class="gl-num">{p:.2f}</span>'


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return _number(after)
    delta = round(after, 2) - round(before, 2)  # what the reader would work out from the two numbers shown
    if abs(delta) < CHANGE_SHOWN:
        arrow, css, spoken = "=", "", "no change"
    elif delta > 0:
        arrow, css, spoken = f"▲ {delta:.2f}", "gl-up", "up"
    else:
        arrow, css, spoken = f"▼ {-delta:.2f}", "gl-down", "down"
    return (
        f'<span class="gl-num"><span class="gl-from">{before:.2f} →</span> {after:.2f} '
        f'<span class="gl-delta {css}" title="{spoken}">{arrow}</span></span>'
    )
