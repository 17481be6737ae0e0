"""Data protocols: which files of a data set are used, and what is done to each before anyone looks at it.

`raw` takes the files as they are. `unbiased` puts both classes through the same crop and the same encoder, so
that format, size and last compression no longer give the answer away; without it those alone separate
GenImage's PNG fakes of fixed size from its JPEG photographs (Grommelt et al. 2024, arXiv:2403.17608).

A data protocol says what the data are. How an image then reaches a network (`tiles` or the paper's
resize) is a detector's reading of it, and another matter: each goes with each.

How `unbiased` differs from the paper's recipe. The paper keeps only photographs that are JPEGs of quality 96
and of about the fakes' size, saves the fakes as JPEG of quality 96, and draws both classes equally often. A
small data set cannot afford to lose most of its photographs, so here nothing is left out for its quality or
size: every image of either class is cropped to one size and encoded once more, with one encoder at one
setting. That takes away the same three cues:

- format: whatever the file was, a detector sees the pixels of a baseline JPEG;
- size: every image has `side` x `side` px, as long as no image of the data set is smaller. `side` is a field:
  its default suits sets whose smallest image has 224 px; choose a full-size set's own lower bound with
  `dataclasses.replace(protocol, side=...)`. A smaller image stays smaller, and shows;
- last compression: quantisation tables, colour subsampling and encoder are the same for all.

What it does not take away: traces of earlier compression. A photograph that was a JPEG of quality 75 is then
an image compressed at 75 and at 96, a fake that was a PNG one compressed at 96 alone. Double compression
shows in the histograms of DCT coefficients, and in the size of the re-encoded file, where noise that a first
compression took away is not there to be stored. (The paper's filter leaves both classes compressed once, at
96.) Nor does it touch content, colour or sharpness. `python -m genimage_core audit` measures what is left.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from genimage_core.datasets.scan import Record
from genimage_core.images.color import RGBImage
from genimage_core.images.degradations import Jpeg
from genimage_core.utils.errors import DatasetError

SEED = 42
"""The paper's own seed for its draw of a balanced set."""


@dataclass(frozen=True)
class DataProtocol:
    """A way to read a data set; the module's text tells what each of the two is for.

    Attributes:
        name: as on the command line.
        description: one sentence for a person.
        balance: draw as many images of one class as of the other in each generator and split.
        side: images are cropped at their centre to at most this many px a side; None: not cropped.
        jpeg: the one encoding that all images go through after the crop; None: none.
    """

    name: str
    description: str
    balance: bool = False
    side: int | None = None
    jpeg: Jpeg | None = None

    def __post_init__(self) -> None:
        """Check the side."""
        if self.side is not None and self.side < 8:
            raise DatasetError(
                "the side of the crop must be 8 px or more.", source=f"{self.name}, {self.side}"
            )

    def select(self, records: Iterable[Record], seed: int = SEED) -> list[Record]:
        """Choose the records that this protocol uses.

        Without `balance`, all. With it, each generator and split keeps as many fakes as reals: of the larger
        class a random part. The draw depends on the seed and the group alone, not on what else the data set
        holds. A group that holds one class only (such as `not_photo`, which has no fakes) is kept whole.

        Args:
            records: of `scan_dataset`.
            seed: of the draw.

        Returns:
            The chosen records, sorted.
        """
        records = sorted(records)
        if not self.balance:
            return records
        groups: dict[tuple[str, str], dict[int, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for record in records:
            groups[record.generator, record.split][record.label].append(record)
        chosen: list[Record] = []
        for (generator, split), classes in groups.items():
            count = min(map(len, classes.values()))
            for label, members in classes.items():
                order = _rng(seed, generator, split, str(label)).permutation(len(members))
                chosen += [members[i] for i in (order[:count] if len(classes) > 1 else order)]
        return sorted(chosen)

    def apply(self, image: RGBImage) -> RGBImage:
        """Give the pixels that this protocol shows of a decoded image.

        Args:
            image: uint8, height x width x 3, RGB.

        Returns:
            uint8, at most `side` x `side` x 3; the very image where nothing is to be done.

        Raises:
            DegradationError: with an encoding to apply, the array is no such image.
        """
        image = self.crop(image)
        return self.jpeg(image) if self.jpeg else image

    def crop(self, image: RGBImage) -> RGBImage:
        """Cut out the centre, at most `side` x `side` px (a view, not a copy)."""
        if self.side is None:
            return image
        height, width = min(image.shape[0], self.side), min(image.shape[1], self.side)
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        return image[top : top + height, left : left + width]

    def encode(self, image: RGBImage) -> bytes | None:
        """Give the JPEG file whose decoded pixels are `apply(image)`, or None where files stay as they are.

        Args:
            image: uint8, height x width x 3, RGB, as decoded from the original file.
        """
        if self.jpeg is None:
            return None
        from PIL import Image

        buffer = io.BytesIO()
        pixels = np.ascontiguousarray(self.crop(image))
        Image.fromarray(pixels).save(
            buffer, "JPEG", quality=self.jpeg.quality, subsampling=self.jpeg.subsampling
        )
        return buffer.getvalue()


def _rng(seed: int, *names: str) -> np.random.Generator:
    """Give a random generator that belongs to a seed and a group's names."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


_PROTOCOLS = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            DataProtocol("raw", "The files as they are, all of them."),
            DataProtocol(
                "unbiased",
                "Both classes in equal number, cropped at the centre to at most 224 px"
                " and encoded once more as JPEG 96, 4:2:0.",
                balance=True,
                side=224,
                jpeg=Jpeg(96),
            ),
        )
    }
)


def list_data_protocols() -> list[str]:
    """Names of the data protocols."""
    return list(_PROTOCOLS)


def data_protocol(name: str) -> DataProtocol:
    """Look up a data protocol.

    Raises:
        DatasetError: there is none of that name.
    """
    if name not in _PROTOCOLS:
        raise DatasetError(
            "no such data protocol.", hint=f"Choose from: {', '.join(_PROTOCOLS)}.", source=name or "(empty)"
        )
    return _PROTOCOLS[name]
