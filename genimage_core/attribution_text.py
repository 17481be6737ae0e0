"""What was measured of the names of generators, as a table and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genimage_core.attribution import Facts

if TYPE_CHECKING:
    import pandas as pd

NOT_NAMED, IMAGES = "not named", "images"


def confusion_frame(facts: Facts) -> pd.DataFrame:
    """The confusion matrix: origins as rows, names as columns, then how many were not named, and all."""
    import pandas as pd

    rows = {
        row.origin: {
            **{name: row.named.get(name, 0) for name in facts.generators},
            NOT_NAMED: row.n - row.right - row.wrong,
            IMAGES: row.n,
        }
        for row in facts.confusion
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def in_short(facts: Facts) -> str:
    """The figures in a few plain sentences, with 95 % intervals and n."""
    found = {key: _share(figure) for key, figure in facts.figures.items()}
    known = (
        f"Of pictures by the {len(facts.generators)} generators compared {found['known_named']} get a name"
    )
    parts = [f"{known}; {found['named_right']} of these names are right."]
    if "others_named" in found:
        parts.append(
            f"Of pictures by generators that it does not know {found['others_named']} are named, wrongly."
        )
    if "reals_named" in found:
        parts.append(f"Of pictures made by people {found['reals_named']} would be.")
    if never := [row.origin for row in facts.confusion if row.known and not row.right]:
        parts.append(f"Never named rightly in this test: {', '.join(never)}.")
    return " ".join(parts)


def _share(figure: dict[str, float | int]) -> str:
    return "{value:.1%} ({low:.1%} to {high:.1%}, n = {n})".format(**figure).replace("%", " %")
