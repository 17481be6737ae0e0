"""One round of the guessing game: a picture, two buttons, and then the truth beside all answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from genimage_core.images.load import load_image
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.labels import LABEL_STYLES, truth_style
from pages.components.quiz.game import Question
from pages.components.shared import detectors, pictures, scoring
from pages.components.shared import score_bars as rows
from pages.components.shared.layout import plain

_STATE = "quiz"
SHOWN_SIDE = 720


@dataclass
class Game:
    """One visitor's game.

    Attributes:
        questions: the pictures, as drawn.
        guesses: the visitor's, True for AI-generated; as many as were made.
        scores: detector -> P(fake), for each picture that was guessed.
        next_up: whether the visitor has asked for the next picture after a guess.
    """

    questions: tuple[Question, ...]
    guesses: list[bool] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)
    next_up: bool = True

    @property
    def over(self) -> bool:
        """Return whether every picture was guessed and the last answer was seen."""
        return len(self.guesses) == len(self.questions) and self.next_up


def game(questions: tuple[Question, ...], seed: int) -> Game:
    """Return the visit's game on these pictures, a new one where they are others than before."""
    key = (seed, tuple(str(q.path) for q in questions))
    known = st.session_state.get(_STATE)
    if known is None or known[0] != key:
        st.session_state[_STATE] = known = (key, Game(questions))
    return known[1]


def ask(game: Game) -> None:
    """Show the picture at hand: two buttons before the guess, all answers after it."""
    answered = not game.next_up
    number = len(game.guesses) - answered
    question = game.questions[number]
    st.progress(len(game.guesses) / len(game.questions), f"Picture {number + 1} of {len(game.questions)}")
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key="quiz_picture"):
        try:
            st.image(_shown(question), alt=f"Picture {number + 1}, to be guessed")
        except GenImageError as error:
            st.warning(f"This picture cannot be shown: {plain(error.message)}")
    with right:
        if answered:
            _answer(game, question)
        else:
            _buttons(game)


def _buttons(game: Game) -> None:
    st.html('<p class="gl-note">What is it?</p>')
    for fake in (False, True):
        side = truth_style(fake)
        st.button(
            f"{side.shape} {side.short}",
            key=f"guess_{side.css}",
            width="stretch",
            on_click=partial(_guess, game, fake),
        )


def _guess(game: Game, fake: bool) -> None:
    game.guesses.append(fake)
    game.next_up = False


def _answer(game: Game, question: Question) -> None:
    right = game.guesses[-1] == question.fake
    st.html(
        f'<p class="gl-change" role="status"><b>{"Right" if right else "Wrong"}.</b> It is '
        f"{rows.chip(truth_style(question.fake), _noun(question.fake))}</p>"
    )
    st.caption(plain(question.told))
    st.button(
        "Next picture" if len(game.guesses) < len(game.questions) else "See the result",
        type="primary",
        on_click=_next,
        args=(game,),
        icon=":material/arrow_forward:",
    )
    place = st.empty()
    titles = detectors.titles()

    def show(found: Mapping[str, float]) -> None:
        place.html(rows.score_rows(titles, found))

    show({})
    scores = _score(game, question, show)
    verdict = scoring.combined(scores)
    if verdict is not None:
        st.html(f'<p class="gl-change">The detectors together: {rows.chip(LABEL_STYLES[verdict.label])}</p>')


def _next(game: Game) -> None:
    game.next_up = True


def _noun(fake: bool) -> str:
    return "an AI-generated picture" if fake else "a photograph"


def _score(game: Game, question: Question, on_score: scoring.OnScore) -> dict[str, float]:
    """Ask the detectors about a picture that has been guessed; what they said is kept with the game."""
    number = len(game.guesses)
    if len(game.scores) < number:
        # Guessed and left before all had answered: their answers are asked for once more.
        game.scores += [{} for _ in range(number - len(game.scores))]
    scores = game.scores[number - 1]
    if not detectors.complete(scores):
        try:
            scores |= answers(question, on_score)
        except GenImageError:
            return scores
    on_score(scores)
    return scores


def answers(question: Question, on_score: scoring.OnScore) -> dict[str, float]:
    """Return every detector's score of a question's picture.

    Raises:
        ImageReadError: the file cannot be read.
    """
    picture = pictures.Picture(str(question.path), question.path.name, b"")
    return scoring.ask(picture, lambda: load_image(question.path).pixels, on_score)


@st.cache_data(show_spinner=False, max_entries=64)
def _encoded(path: str) -> bytes:
    return pictures.encode(load_image(path).pixels, SHOWN_SIDE)


def _shown(question: Question) -> bytes:
    # Every picture goes through one encoder: neither its format nor its name may give it away.
    return _encoded(str(question.path))
