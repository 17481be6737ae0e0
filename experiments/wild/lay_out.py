"""From collected files to a manifest: families of generators, contact sheets cut into single pictures.

    python -m experiments.wild.lay_out COLLECTED OUT.csv

COLLECTED is a folder with a `manifest.csv` (path, label, source, sha256, original; see docs/wild.md) and the
files it names. OUT.csv is a manifest as `genimage_core.datasets.manifest` describes it, beside it a folder
`cells` with the pictures cut out of contact sheets. What is doubtful is left out and counted.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from pathlib import Path

from PIL import Image

from genimage_core.datasets.manifest import source_fold
from genimage_core.images.load import load_image
from genimage_core.utils.errors import GenImageError

FAMILIES = Path(__file__).with_name("families.csv")
SHEETS = {
    "andygock/FLUX-Style-CheatSheet": (2, 2),
    "SupaGruen/StableDiffusion-CheatSheet": (2, 2),
    "kuprel/min-dalle": (3, 3),
}
ROWS = (
    "Stability-AI/stablediffusion", "Stability-AI/StableCascade", "CompVis/latent-diffusion",
    "ai-forever/ru-dalle", "lucidrains/lightweight-gan",
)  # fmt: skip
"""Sources whose long pictures are rows of square ones."""
DOUBTFUL = re.compile(r"brycedrennan/imaginAIry/.*(test_control_images|create_|mona-lisa|pearl)", re.I)
"""Control maps and edits of paintings among generated pictures."""
MIXED = frozenset(
    [
        "18F/18f.gsa.gov",
        "DjangoGirls/djangogirls",
        "LeoTiunn/inkjetfly.com",
        "andrewdcampbell/OpenCV-Document-Scanner",
        "apache/commons-imaging",
        "autorope/donkeydocs",
        "datacarpentry/image-processing",
        "openenergymonitor/guide",
        "owncloud/core",
        "polarblairx/polarblairx.github.io",
        "stephen688/blog-images",
    ]
)
"""Listed as photographs, but screenshots, diagrams and logos lie among them."""
COLUMNS = ("path", "label", "source", "generator", "year", "fold", "sha256")


def family(source: str, original: str, table: list[dict[str, str]]) -> tuple[str, str]:
    """(family of generators, year) of a fake: the first row of `families.csv` that fits."""
    for row in table:
        if row["source"] == source and re.search(row["path"], original, re.I):
            return row["family"], row["year"]
    raise SystemExit(f"no family for {source}: add it to {FAMILIES.name}")


def cells_of(source: str, width: int, height: int) -> tuple[int, int]:
    """Rows and columns of pictures in a file; (1, 1) for a single one."""
    if source in SHEETS:
        return SHEETS[source]
    short = min(width, height)
    if source in ROWS and max(width, height) >= 1.8 * short:
        return max(1, round(height / short)), max(1, round(width / short))
    return 1, 1


def cut_cell(path: Path, out: Path, cells: tuple[int, int], sha256: str) -> None:
    """Write the one cell of a contact sheet that its hash draws, as PNG."""
    if out.exists():
        return
    pixels = load_image(path).pixels
    drawn, (rows, columns) = int(sha256[8:12], 16), cells
    row, column = drawn % rows, drawn // rows % columns
    height, width = pixels.shape[:2]
    cell = pixels[
        row * height // rows : (row + 1) * height // rows,
        column * width // columns : (column + 1) * width // columns,
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(cell).save(out)


def lay_out(collected: Path, out: Path) -> Counter[str]:
    """Write the manifest; returns how many images of each label it holds, and how many were left out."""
    with FAMILIES.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    with (collected / "manifest.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    counts: Counter[str] = Counter()
    rows = []
    for item in found:
        source, original = item["source"], item["original"]
        mixed = item["label"] == "nature" and source in MIXED
        if mixed or DOUBTFUL.search(f"{source}/{original}"):
            counts["left out"] += 1
            continue
        path = collected / item["path"]
        cells = cells_of(source, int(item["width"]), int(item["height"])) if item["label"] == "ai" else (1, 1)
        if cells != (1, 1):
            sheet, path = path, out.parent / "cells" / f"{item['sha256'][:20]}.png"
            try:
                cut_cell(sheet, path, cells, item["sha256"])
            except GenImageError:
                counts["left out"] += 1
                continue
        name, year = family(source, original, table) if item["label"] == "ai" else ("", "")
        place = path.relative_to(out.parent) if path.is_relative_to(out.parent) else path.resolve()
        fold = source_fold(source)
        rows.append((place.as_posix(), item["label"], source, name, year, fold, item["sha256"]))
        counts[item["label"]] += 1
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return counts


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("collected", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    print(dict(lay_out(options.collected, options.out)))


if __name__ == "__main__":
    main()
