"""Data protocols: what each selects, what each does to an image, and that it is the same for both classes."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimage_core.datasets import Record
from genimage_core.datasets.protocols import data_protocol, list_data_protocols
from genimage_core.utils.errors import DatasetError, DegradationError
from tests.conftest import make_image


def records(generator: str, split: str, fakes: int, reals: int) -> list[Record]:
    return [
        Record(Path(f"/data/{generator}/{split}/{label}/{i}.png"), f"{generator}/{split}/{label}/{i}.png",
               generator, split, label)  # type: ignore[arg-type]
        for label, count in ((1, fakes), (0, reals))
        for i in range(count)
    ]  # fmt: skip


def counts(chosen: list[Record]) -> dict[tuple[str, str, int], int]:
    found: dict[tuple[str, str, int], int] = {}
    for record in chosen:
        key = (record.generator, record.split, record.label)
        found[key] = found.get(key, 0) + 1
    return found


DATA = [
    *records("alpha", "train", 30, 12),
    *records("alpha", "val", 5, 9),
    *records("beta", "val", 7, 7),
    *records("not_photo", "val", 0, 11),
]


def test_the_protocols_are_named_and_described() -> None:
    assert list_data_protocols() == ["raw", "unbiased"]
    for name in list_data_protocols():
        assert data_protocol(name).name == name
        assert len(data_protocol(name).description) > 20


@pytest.mark.parametrize("name", ["Raw", "", "jpeg96"])
def test_an_unknown_name_is_a_typed_error_that_lists_the_known(name: str) -> None:
    with pytest.raises(DatasetError, match="raw, unbiased"):
        data_protocol(name)


def test_raw_takes_every_file_and_leaves_it_alone() -> None:
    raw, image = data_protocol("raw"), make_image(1)
    assert raw.select(DATA) == sorted(DATA)
    assert raw.apply(image) is image
    assert raw.encode(image) is None


def test_unbiased_balances_classes_in_each_generator_and_split() -> None:
    chosen = data_protocol("unbiased").select(DATA)
    assert counts(chosen) == {
        ("alpha", "train", 1): 12, ("alpha", "train", 0): 12, ("alpha", "val", 1): 5, ("alpha", "val", 0): 5,
        ("beta", "val", 1): 7, ("beta", "val", 0): 7, ("not_photo", "val", 0): 11,
    }  # fmt: skip
    assert chosen == sorted(set(chosen))


def test_the_draw_follows_its_seed_and_not_the_order_or_the_company() -> None:
    unbiased = data_protocol("unbiased")
    assert unbiased.select(DATA, seed=1) == unbiased.select(DATA[::-1], seed=1)
    assert unbiased.select(DATA, seed=1) != unbiased.select(DATA, seed=2)
    alone = unbiased.select([r for r in DATA if r.generator == "alpha"], seed=1)
    assert alone == [r for r in unbiased.select(DATA, seed=1) if r.generator == "alpha"]


def test_unbiased_is_a_centre_crop_and_pillows_jpeg_96() -> None:
    image = make_image(2, side=300)[:, :261]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[38:262, 18:242])).save(
        buffer, "JPEG", quality=96, subsampling="4:2:0"
    )
    shown = data_protocol("unbiased").apply(image)
    assert shown.shape == (224, 224, 3)
    assert np.array_equal(shown, np.asarray(Image.open(buffer)))


def test_encode_gives_the_file_of_what_apply_shows() -> None:
    unbiased, image = replace(data_protocol("unbiased"), side=96), make_image(3, side=130)
    data = unbiased.encode(image)
    assert data is not None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), unbiased.apply(image))


def test_side_is_a_field_and_a_smaller_image_keeps_its_size() -> None:
    wide = replace(data_protocol("unbiased"), side=512)
    assert wide.apply(make_image(4, side=100)).shape == (100, 100, 3)
    assert data_protocol("unbiased").side == 224
    with pytest.raises(DatasetError, match="8 px"):
        replace(wide, side=0)


def test_no_trace_of_the_files_own_format_is_left() -> None:
    """The same scene from a PNG and from a JPEG leaves the protocol with the same tables and sampling."""
    scene = make_image(5, side=240)
    files = []
    for options in ({"format": "PNG"}, {"format": "JPEG", "quality": 60, "subsampling": "4:4:4"}):
        buffer = io.BytesIO()
        Image.fromarray(scene).save(buffer, **options)
        files.append(data_protocol("unbiased").encode(np.asarray(Image.open(buffer))))
    first, second = (Image.open(io.BytesIO(data or b"")) for data in files)
    assert first.quantization == second.quantization  # type: ignore[attr-defined]
    assert first.layer == second.layer  # type: ignore[attr-defined]
    assert first.size == second.size == (224, 224)


def test_what_is_no_image_is_a_typed_error() -> None:
    with pytest.raises(DegradationError):
        data_protocol("unbiased").apply(np.zeros((4, 4), np.float32))
