"""Copies within a data set: files with the same bytes, and pictures that look the same.

Two steps. A perceptual hash (pHash: signs of the 64 lowest DCT coefficients of a 32 x 32 px grey thumbnail,
by the library imagehash) finds candidates; each candidate pair is then compared by its thumbnails, because
hashes of unrelated pictures do meet now and then. This finds re-encoded, resized and lightly edited copies;
it does not find crops, shifted cuts, mirrored or rotated ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genimage_core.datasets.audit.file_facts import ReadFile
from genimage_core.datasets.scan import Record

RADIUS = 8
"""Most bits of 64 in which the hashes of two copies may differ."""
CORRELATION = 0.985
"""Least correlation of the thumbnails of two copies."""
LEVELS = 10.0
"""Most that the thumbnails of two copies may differ on average, in grey levels of 255."""
FLAT = 5.0
"""Standard deviation (grey levels) of a thumbnail below which a picture is too empty to be compared."""

_ROWS = 512


def find_copies(files: Sequence[ReadFile]) -> list[list[int]]:
    """Group the files that are copies of one another.

    Copies of copies are one group, so two members of a large group can differ more than the limits allow.
    Comparing takes time and no more memory than a block with the square of the number of files: 30,000 take
    seconds, a million hours.

    Returns:
        Groups of two or more places in `files`, each sorted, in the order of their first members.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not files:
        return []
    pairs = np.concatenate([_same_bytes(files), _alike(files)])
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(files), len(files)))
    _, group_of = connected_components(graph, directed=False)
    order = np.argsort(group_of, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1)
    return sorted(group.tolist() for group in groups if len(group) > 1)


def too_flat(files: Sequence[ReadFile]) -> np.ndarray:
    """Tell which pictures are too empty to be compared by their look: bool (N,)."""
    return np.array([file.thumbnail.std() < FLAT for file in files], dtype=bool)


def group_names(records: Sequence[Record], groups: Sequence[Sequence[int]]) -> list[str]:
    """Name for each record the group of copies it belongs to, its own `image_id` if it has no copy."""
    names = [record.image_id for record in records]
    for group in groups:
        for place in group:
            names[place] = records[group[0]].image_id
    return names


def _same_bytes(files: Sequence[ReadFile]) -> np.ndarray:
    """Pairs (P, 2) of places, each file with the first of the same bytes."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(file.sha256, place), place) for place, file in enumerate(files)]
    return np.array([pair for pair in pairs if pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)


def _alike(files: Sequence[ReadFile]) -> np.ndarray:
    """Pairs (P, 2) of places whose pictures look the same."""
    places = np.flatnonzero(~too_flat(files))
    if len(places) < 2:
        return np.empty((0, 2), dtype=np.int64)
    thumbnails = np.stack([files[place].thumbnail for place in places.tolist()])
    pairs = near_hashes(perceptual_hashes(thumbnails), RADIUS)
    return places[pairs[_same_look(thumbnails, pairs)]]


def perceptual_hashes(thumbnails: np.ndarray) -> np.ndarray:
    """Hash uint8 (N, 32, 32) grey thumbnails into bool (N, 64)."""
    import imagehash
    from PIL import Image

    return np.stack([imagehash.phash(Image.fromarray(one)).hash.ravel() for one in thumbnails])


def near_hashes(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Find all pairs of hashes that differ in at most `radius` bits.

    With bits written as +1 and -1 the product of two hashes is 64 - 2 x the bits that differ, so one matrix
    product compares a block of hashes with all later ones.

    Args:
        hashes: bool (N, B).
        radius: most bits that differ.

    Returns:
        int64 (P, 2), the first place below the second.
    """
    signs = np.where(hashes, 1.0, -1.0).astype(np.float32)
    least = hashes.shape[1] - 2 * radius
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(signs), _ROWS):
        rows, columns = np.nonzero(signs[start : start + _ROWS] @ signs[start:].T >= least)
        later = columns > rows
        found.append(np.stack([rows[later], columns[later]], axis=1) + start)
    return np.concatenate(found)


def _same_look(thumbnails: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Tell which pairs (P, 2) of uint8 (N, 32, 32) thumbnails show the same picture: bool (P,)."""
    answers = [np.empty(0, dtype=bool)]
    for start in range(0, len(pairs), _ROWS):
        block = thumbnails[pairs[start : start + _ROWS]].astype(np.float32)
        first, second = block[:, 0].reshape(len(block), -1), block[:, 1].reshape(len(block), -1)
        close = np.abs(first - second).mean(axis=1) <= LEVELS
        first, second = first - first.mean(1, keepdims=True), second - second.mean(1, keepdims=True)
        scale = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        answers.append(close & ((first * second).sum(axis=1) >= CORRELATION * scale))
    return np.concatenate(answers)
