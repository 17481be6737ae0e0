"""From records to the views that the networks read, ahead of the networks, in threads.

Each image is decoded once; every degradation is made from that, and detectors that read alike share their
views. Threads serve: decoding, blurring and resizing leave Python's lock to others, and no view has to
be copied between processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from genimage_core.datasets import DataProtocol, Record
from genimage_core.datasets.storage import is_remote
from genimage_core.detectors import InputSpec, Preprocessing, tiling
from genimage_core.images.degradations import Degradation
from genimage_core.images.load import LoadedImage, load_image
from genimage_core.utils.errors import EvaluationError, GenImageError, ImageReadError

Views = list[np.ndarray]
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass
class Prepared:
    """One image, ready for all detectors.

    Attributes:
        record: what it is.
        views: (kind of view, degradation) -> the (S, S, 3) uint8 views of the degraded image.
        errors: degradation -> why there are no views.
    """

    record: Record
    views: dict[tuple[str, str], Views] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def view_kind(spec: InputSpec, preprocessing: Preprocessing) -> str:
    """A name that two detectors share if and only if they read the same views of any image."""
    if preprocessing == "resize":
        return f"resize {spec.paper_resize}, crop {spec.paper_crop}"
    whole = ", and the whole" if spec.whole else ""
    return f"tile {spec.tile}, at most {spec.max_tiles}{whole}"


def cut_views(image: np.ndarray, spec: InputSpec, preprocessing: Preprocessing) -> Views:
    """The views that `Detector.views` cuts, without the network and as copies.

    A view into the whole image would keep all of it in memory.
    """
    return [np.array(view) for view in tiling.cut_views(image, spec, preprocessing)]


class Preparer:
    """Record -> `Prepared`; may be called from many threads and sent to other processes.

    Args:
        specs: how each detector reads an image.
        degradations: text form -> degradation.
        protocol: of the data; applied after decoding and before the degradations.
        preprocessing: how an image reaches the networks.
    """

    def __init__(
        self,
        specs: Iterable[InputSpec],
        degradations: Mapping[str, Degradation],
        protocol: DataProtocol,
        preprocessing: Preprocessing,
    ) -> None:
        # One of each kind stands for all that read alike.
        self.kinds = {view_kind(spec, preprocessing): spec for spec in specs}
        self.degradations, self.protocol, self.preprocessing = dict(degradations), protocol, preprocessing

    def __call__(self, record: Record) -> Prepared:
        """Decode, degrade and cut one image; what bad data cause is kept as its errors.

        Raises:
            EvaluationError: anything else went wrong; names the image.
        """
        prepared = Prepared(record)
        try:
            self._fill(prepared)
        except GenImageError as error:
            prepared.errors = dict.fromkeys(self.degradations, error.message)
        except Exception as error:
            raise EvaluationError(
                f"this image stopped the run ({type(error).__name__}: {error}).",
                hint="Take it out of the data set, or report it.",
                source=record.image_id,
            ) from error
        return prepared

    def _fill(self, prepared: Prepared) -> None:
        image = self.protocol.apply(_load(prepared.record.path).pixels)
        for degradation, degrade in self.degradations.items():
            try:
                degraded = degrade(image)
            except GenImageError as error:
                prepared.errors[degradation] = error.message
                continue
            for kind, spec in self.kinds.items():
                prepared.views[kind, degradation] = cut_views(degraded, spec, self.preprocessing)


def _load(path: Path) -> LoadedImage:
    if not is_remote(path):
        return load_image(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageReadError(
            f"The file cannot be fetched ({error}).", hint="Check the address.", source=str(path)
        ) from error
    return load_image(data, name=path.name)


def read_ahead(
    make: Callable[[Given], Made], items: Sequence[Given], workers: int, ahead: int
) -> Generator[Made, None, None]:
    """Yield `make(item)` in order, made by `workers` threads at most `ahead` items before they are taken.

    Closing the iterator drops what has not begun.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prepare")
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
