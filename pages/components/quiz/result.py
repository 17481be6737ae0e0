"""The end of the guessing game: the visitor's accuracy beside the detectors', with intervals."""

import pandas as pd
import streamlit as st

from genimage_core.datasets.audit.plots import accuracy_intervals
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.labels import LABEL_STYLES, truth_style
from pages.components.quiz import round
from pages.components.quiz.game import Outcome, outcome
from pages.components.shared import detectors, scoring
from pages.components.shared.glossary import meaning

YOU, TOGETHER = "You", "All together"


def result(game: round.Game) -> None:
    """Show who was right how often."""
    _fill(game)
    found = _outcomes(game)
    you = found[YOU]
    st.subheader(f"You were right {you.hits} times out of {len(game.questions)}", anchor=False)
    st.markdown(
        f"With {len(game.questions)} pictures chance plays a large part: the bars are 95 % intervals, and "
        "where they overlap widely nobody has shown to be better.",
        help=meaning("interval"),
    )
    st.plotly_chart(
        accuracy_intervals({name: o.right for name, o in found.items() if o.right is not None}),
        config={"displayModeBar": False},
        alt="Dots with intervals: share of right answers, yours and each detector's; also in the table below",
    )
    st.table(_table(found))
    st.caption(
        f"A detector answers “AI-generated” from a score of .5. “{TOGETHER}” may be unsure; its share "
        "counts the pictures that it decided on."
    )
    with st.expander("All pictures and answers"):
        st.table(_pictures(game))


def _fill(game: round.Game) -> None:
    """Ask about pictures that were left before every detector had answered."""
    game.scores += [{} for _ in range(len(game.questions) - len(game.scores))]
    for question, scores in zip(game.questions, game.scores, strict=True):
        if not detectors.complete(scores):
            try:
                scores |= round.answers(question, lambda _: None)
            except GenImageError:
                continue


def _outcomes(game: round.Game) -> dict[str, Outcome]:
    truths = [question.fake for question in game.questions]
    found = {YOU: outcome(truths, list(game.guesses)), TOGETHER: outcome(truths, _together(game))}
    for name, title in detectors.titles().items():
        said = [None if name not in s else s[name] >= 0.5 for s in game.scores]
        if any(answer is not None for answer in said):
            found[title] = outcome(truths, said)
    return found


def _together(game: round.Game) -> list[bool | None]:
    verdicts = [scoring.combined(scores) for scores in game.scores]
    return [None if v is None or v.label == "unsure" else v.label == "fake" for v in verdicts]


def _table(found: dict[str, Outcome]) -> pd.DataFrame:
    rows = {
        name: {
            "right": f"{o.hits} of {o.right.n}" if o.right else "none",
            "accuracy (95 %)": f"{o.right.value:.0%} ({o.right.low:.0%} to {o.right.high:.0%})"
            if o.right
            else "",
            "unsure": str(o.unsure),
        }
        for name, o in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _pictures(game: round.Game) -> pd.DataFrame:
    def word(fake: bool | None) -> str:
        return (
            f"{LABEL_STYLES['unsure'].shape} {LABEL_STYLES['unsure'].short}"
            if fake is None
            else f"{truth_style(fake).shape} {truth_style(fake).short}"
        )

    together = _together(game)
    return pd.DataFrame(
        [
            {"truth": word(q.fake), "you": word(guess), "detectors together": word(said)}
            for q, guess, said in zip(game.questions, game.guesses, together, strict=True)
        ],
        index=pd.RangeIndex(1, len(game.questions) + 1, name="picture"),
    )
