"""What an audit finds, as typed data that JSON can hold."""

from __future__ import annotations

from pydantic import BaseModel

POOLED = "(all)"
"""Stands for all generators together."""
EVERY_FACT = "all facts"
"""Stands for all families of facts together."""


class Probe(BaseModel):
    """How well a small classifier tells fakes from photographs by facts of their files alone.

    Attributes:
        protocol: data protocol under which the facts were taken.
        split: `train` or `val`.
        generator: its folder, or `(all)`.
        family: which facts, or `all facts`.
        n_fake, n_real: images.
        auroc: 0..1, of out-of-fold scores; .5 is chance. None where there are too few images.
        low, high: its 95 % interval (DeLong).
        note: why there is no figure, or what to know about it; may be empty.
    """

    protocol: str
    split: str
    generator: str
    family: str
    n_fake: int
    n_real: int
    auroc: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""


class Unreadable(BaseModel):
    """A file that cannot be read.

    Attributes:
        image_id: its path below the data set's folder, with forward slashes.
        error: kind of the error, such as `CorruptImageError`.
        message: what is wrong.
    """

    image_id: str
    error: str
    message: str


class Copies(BaseModel):
    """Files that show the same picture.

    Attributes:
        image_ids: two or more, sorted.
        identical: the files have the same bytes.
        across_splits: some are in `train`, some in `val`.
        across_labels: some are `ai`, some `nature`: one of the labels is wrong.
    """

    image_ids: list[str]
    identical: bool
    across_splits: bool
    across_labels: bool


class Makeup(BaseModel):
    """What one class of one generator and split is made of, as the files are.

    Attributes:
        generator, split: where.
        label: `ai` or `nature`.
        n: readable files.
        formats: format, and quality of JPEG files, such as "JPEG 96" -> files, most frequent first.
        sizes: "width x height" -> files, the five most frequent.
        bytes_per_pixel: median.
    """

    generator: str
    split: str
    label: str
    n: int
    formats: dict[str, int]
    sizes: dict[str, int]
    bytes_per_pixel: float


class Manifest(BaseModel):
    """What the result rests on.

    Attributes:
        command: as it can be repeated.
        data_sha256: over the ids and contents of all files that were looked at, in sorted order.
        n_files: their number.
        split, limit, seed: as asked for.
        protocols: data protocol's name -> its description.
        versions: Python's, this project's and its packages'.
    """

    command: str
    data_sha256: str
    n_files: int
    split: str
    limit: int | None
    seed: int
    protocols: dict[str, str]
    versions: dict[str, str]


class Audit(BaseModel):
    """Everything that an audit finds.

    Attributes:
        manifest: what it rests on.
        makeup: each generator, split and class.
        probes: what the files' facts give away.
        unreadable: files that cannot be read; they are left out of everything else.
        copies: files that show the same picture.
        n_flat: pictures too empty to be compared by their look.
        notes: what of the data set was left out, or read in a way that one should know.
    """

    manifest: Manifest
    makeup: list[Makeup]
    probes: list[Probe]
    unreadable: list[Unreadable]
    copies: list[Copies]
    n_flat: int
    notes: list[str] = []

    def probe(
        self, protocol: str, split: str, generator: str = POOLED, family: str = EVERY_FACT
    ) -> Probe | None:
        """Look up one probe; None if it was not made."""
        key = (protocol, split, generator, family)
        found = (p for p in self.probes if (p.protocol, p.split, p.generator, p.family) == key)
        return next(found, None)
