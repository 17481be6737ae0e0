"""How much of a detector's score belongs to the photograph, and how much to the crop of it that is read.

    python -m experiments.variance_within_photo --scores assets/measured/eight \
        --scores assets/measured/held_out --manifest DIR/manifest.csv --source wiki_featured

Takes real photographs of which several crops were scored (a `group` each in the manifest) and prints, for
each detector, the share of the log-odds' variance that lies within a photograph, the share of single crops
above .5, and the share of photographs whose mean log-odds are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from genimage_core.detectors import list_detectors
from genimage_core.evaluation.export import read_scores
from genimage_core.metrics.classification import finite_logit


def within_photo(rows: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """One line a detector.

    Args:
        rows: scores with the columns image_id, label, detector and p_fake.
        groups: group of each image, by image id; images without one are left out.
    """
    reals = rows[(rows["label"] == 0) & rows["image_id"].isin(groups.index)]
    reals = reals.assign(
        group=groups.reindex(reals["image_id"]).to_numpy(), z=reals["p_fake"].map(finite_logit)
    )
    lines = []
    for name, part in reals.groupby("detector", sort=False):
        several = part[part.groupby("group")["z"].transform("size") > 1]
        photos = several.groupby("group")["z"]
        lines.append(
            {
                "detector": name,
                "photographs": photos.ngroups,
                "crops": len(several),
                "variance within": round(float(photos.var().mean() / several["z"].var()), 3),
                "crops above .5": round(float(np.mean(several["z"] > 0)), 3),
                "photographs above .5": round(float((photos.mean() > 0).mean()), 3),
            }
        )
    return pd.DataFrame(lines)


def main(
    scores: Annotated[list[Path], typer.Option(help="Folder written by export-scores; repeatable.")],
    manifest: Annotated[Path, typer.Option(help="csv with path, source and group of each image.")],
    source: Annotated[str, typer.Option(help="Of the photographs.")] = "wiki_featured",
) -> None:
    """Print the table."""
    known = pd.read_csv(manifest)
    groups = known[known["source"] == source].set_index("path")["group"].astype(str)
    rows = pd.concat([read_scores(folder, list_detectors()) for folder in scores])
    print(within_photo(rows, groups).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
