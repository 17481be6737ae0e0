"""What the folders of a path mean: generator, split and class, in GenImage's layout and its relatives.

- GenImage: `<generator>/{train,val}/{ai,nature}`; in its downloads with an archive's folder between;
- CNNDetection and AIGCDetectBenchmark: `<generator>/{0_real,1_fake}`, with a category above the class,
  and `{train,val,test}` above the generator;
- Chameleon: `test/{0_real,1_fake}`.

Capital letters, folders below the class (ImageNet's synsets) and folders around everything are read, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "val"]

LABELS = {"ai": 1, "nature": 0}
CLASSES = LABELS | {"1_fake": 1, "0_real": 0, "fake": 1, "real": 0}
"""Names of class folders, in lower case -> label: 1 fake, 0 real."""
SPLITS: dict[str, Split] = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "test": "val", "testing": "val",
}  # fmt: skip
"""Names of split folders, in lower case -> split. What is no training data is `val`."""
LAYOUT = "Expected <generator>/{train,val}/{ai,nature}/<images>; 0_real and 1_fake are read, too."

_KNOWN = re.compile(
    r"adm|biggan|glide|midjourney|vqdm|wukong|(stable[_ -]?diffusion|sd)[_ -]?(v?[_ -]?\d[\w.]*|xl)?"
    r"|progan|stylegan\d?|stylegan\d?-\w+|cyclegan|stargan|gaugan|deepfakes?|dall[_-]?e[_-]?\d?|ldm\w*|flux\w*",
    re.IGNORECASE,
)
_ARCHIVE = re.compile(r"imagenet_\w+", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """What a folder means.

    Attributes:
        above: names of the folders above the class, without that of the split.
        split: `train` or `val`; `val` where no folder says.
        split_folder: the split folder's own name, "" for none.
        label: 1 fake, 0 real.
    """

    above: tuple[str, ...]
    split: Split
    split_folder: str
    label: int


def read_place(folders: Sequence[str]) -> Place | None:
    """What a file's folders mean; None where none of them names a class.

    The class is the folder below a split's, otherwise the outermost that is called like one.

    Args:
        folders: names from the data set's root to the file, without the file's own.
    """
    lower = [name.lower() for name in folders]
    classes = [i for i, name in enumerate(lower) if name in CLASSES]
    if not classes:
        return None
    at = next((i for i in classes if i and lower[i - 1] in SPLITS), classes[0])
    splits = [i for i in range(at) if lower[i] in SPLITS]
    split_at = splits[-1] if splits else -1
    return Place(
        above=tuple(name for i, name in enumerate(folders[:at]) if i != split_at),
        split=SPLITS[lower[split_at]] if splits else "val",
        split_folder=folders[split_at] if splits else "",
        label=CLASSES[lower[at]],
    )


def name_generators(places: Iterable[tuple[str, ...]], root_name: str) -> dict[tuple[str, ...], str]:
    """Name the generator of each place: the outermost folder that is not around all of them.

    A folder that is called like a generator of the benchmarks is one, wherever it stands: otherwise a single
    generator could not be told from a folder around everything.

    Args:
        places: the folders above the class (`Place.above`).
        root_name: name of the data set's own folder: the generator where nothing else names one.
    """
    every = set(places)
    around = _around(every)
    known = {above: next((name for name in above if _KNOWN.fullmatch(name)), "") for above in every}
    if not any(known.values()) and _KNOWN.fullmatch(root_name):
        return dict.fromkeys(every, root_name)
    return {above: known[above] or (above[around] if len(above) > around else root_name) for above in every}


def _around(places: Collection[tuple[str, ...]]) -> int:
    """How many folders stand around all of these places, so that the next one tells generators apart."""
    shortest = min(map(len, places), default=0)
    depth = next((d for d in range(shortest) if len({above[d] for above in places}) > 1), 0)
    # Archives tell no generators apart, and stand in the folder that does.
    return max(0, depth - 1) if all(_ARCHIVE.fullmatch(above[depth]) for above in places if above) else depth
