"""What traces look like on average: small statistics of the corpus, shipped in assets/traces.

Written by `python -m experiments.reference_stats`; each file has a manifest with the
data's hash and the command.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from genimage_core.utils.errors import ExplainError
from genimage_core.utils.paths import asset

FOLDER = asset("traces")
REAL = "photographs"
QUANTILES = tuple(range(0, 101, 5))


@dataclass(frozen=True)
class SpectrumReference:
    """Average spectra.

    Attributes:
        groups: `photographs`, then the generators.
        counts: images of each group.
        means: (groups, S, S) mean log spectra, as in `spectra.log_spectrum`.
        profiles: (groups, S / 2) their radial profiles.
        real_low, real_high: (S / 2,) 5th and 95th percentile of the profiles of photographs.
    """

    groups: list[str]
    counts: list[int]
    means: np.ndarray
    profiles: np.ndarray
    real_low: np.ndarray
    real_high: np.ndarray


@dataclass(frozen=True)
class GramReference:
    """GramNet's texture numbers.

    Attributes:
        weights_sha256: of the weights that they were read with.
        mean, spread: (taps, 32) over photographs of the train split.
        groups: `photographs`, then the generators.
        counts: validation images of each group.
        quantiles: (groups, 21) distances of validation images at 0, 5, ... 100 per cent.
    """

    weights_sha256: str
    mean: np.ndarray
    spread: np.ndarray
    groups: list[str]
    counts: list[int]
    quantiles: np.ndarray


def _read(name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        return arrays, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ExplainError(
            "the statistics to compare with are missing or damaged.",
            hint="Restore assets/traces or run `python -m experiments.reference_stats`.",
            source=f"{name}.npz",
        ) from None


@cache
def spectrum_reference() -> SpectrumReference:
    """The average spectra.

    Raises:
        ExplainError: the file is missing or damaged.
    """
    arrays, facts = _read("spectra")
    half = arrays["halves"].astype(np.float32)
    return SpectrumReference(
        facts["groups"],
        facts["counts"],
        whole_spectra(half),
        arrays["profiles"].astype(np.float32),
        arrays["real_low"].astype(np.float32),
        arrays["real_high"].astype(np.float32),
    )


def half_spectra(means: np.ndarray) -> np.ndarray:
    """(n, S, S) centred spectra of real signals -> (n, S / 2 + 1, S): the rest is their mirror image."""
    return means[:, : means.shape[1] // 2 + 1]


def whole_spectra(half: np.ndarray) -> np.ndarray:
    """The inverse of `half_spectra`."""
    # Centred, frequency (y, x) is at (S/2 + y, S/2 + x); its mirror image has the same power.
    rest = np.roll(half[:, 1:-1, ::-1], 1, axis=2)[:, ::-1]
    return np.concatenate([half, rest], 1)


@cache
def gram_reference() -> GramReference:
    """GramNet's texture numbers.

    Raises:
        ExplainError: the file is missing or damaged.
    """
    arrays, facts = _read("gram")
    return GramReference(
        facts["weights_sha256"],
        arrays["mean"],
        arrays["spread"],
        facts["groups"],
        facts["counts"],
        arrays["quantiles"],
    )
