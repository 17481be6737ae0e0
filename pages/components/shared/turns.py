"""Whose turn it is: visitors with large pictures wait for each other, and see their place."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genimage_core.images.load import Limits
from genimage_core.utils.turns import Turns

CAPACITY = Limits().max_pixels
"""Pixels that are looked at for all visitors at the same time: one picture of the largest size."""
LEAST = LARGE = CAPACITY // 4
"""What a small picture counts as: so many visitors are served at once, as more would only share the
cores. Larger ones are not kept decoded."""


Queue = Literal["verdict", "evidence"]


@st.cache_resource(show_spinner=False)
def _turns(queue: Queue) -> Turns:
    return Turns(CAPACITY)


@contextmanager
def turn(n_pixels: int, queue: Queue = "verdict") -> Iterator[None]:
    """Wait until there is room for a picture, and say how many are ahead; the visitor may go on meanwhile.

    Args:
        n_pixels: of the picture, 0 where nobody knows.
        queue: evidence takes long; those who wait for a verdict do not stand behind it.
    """
    place: DeltaGenerator | None = None  # made only where one must wait: it takes a place on the page

    def tell(ahead: int) -> None:
        nonlocal place
        place = place or st.empty()
        words = (
            f"{ahead} {'visitor is' if ahead == 1 else 'visitors are'} ahead of you"
            if ahead
            else "You're next"
        )
        place.info(f"Many are asking at once. {words}.", icon=":material/hourglass_top:")

    with _turns(queue).take(max(n_pixels, LEAST), tell):
        if place is not None:
            place.empty()
        yield


def quiet_turn(n_pixels: int) -> AbstractContextManager[None]:
    """The same for work outside of a page's run, which nobody watches."""
    return _turns("evidence").take(max(n_pixels, LEAST))
