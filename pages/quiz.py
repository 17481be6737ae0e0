"""Can you tell? Twelve pictures, one guess each, then the detectors' answers beside the visitor's."""

import secrets

import streamlit as st

from genimage_core.datasets.samples import list_samples
from pages.components.quiz import result, round
from pages.components.quiz.game import Question, draw, record_questions, sample_questions
from pages.components.shared import detectors
from pages.components.shared.dataset_folder import folder_records
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import heading, serve

COUNT = 12


def page() -> None:
    heading(
        "Can you tell?",
        f"{COUNT} pictures, photographs or AI-generated. Guess each one; then see what the detectors said.",
    )
    detectors.warm_up()
    seed = _seed()
    questions = _questions(seed)
    if len(questions) < 2:
        st.info("There are no pictures to guess here: the bundled samples are missing.")
        return
    game = round.game(questions, seed)
    if game.over:
        result.result(game)
        st.button("Play again with other pictures", type="primary", on_click=_again, icon=":material/replay:")
    else:
        round.ask(game)
    _about(seed)


def _seed() -> int:
    """The draw's seed; it stands in the address, so that others can be sent the same pictures."""
    linked = st.query_params.get("seed", "")
    seed = int(linked) if linked.isdecimal() and len(linked) < 10 else secrets.randbelow(10**6)
    st.query_params["seed"] = str(seed)
    return seed


def _again() -> None:
    st.query_params["seed"] = str(secrets.randbelow(10**6))


def _questions(seed: int) -> tuple[Question, ...]:
    with st.expander("Which pictures", icon=":material/folder_open:"):
        records = folder_records()
        st.caption(
            "Photographs, and AI images of current generators. To play with a data set of your own, run the "
            "app on your own machine."
            if not records
            else f"{len(records)} images found; drawn from the validation images."
        )
    found = record_questions(records, seed) if records else sample_questions(list_samples())
    return draw(found, COUNT, seed)


def _about(seed: int) -> None:
    st.caption(
        f"Draw {seed}: whoever opens this page's address gets the same bundled pictures.",
        help=meaning("seed"),
    )


serve(page)
