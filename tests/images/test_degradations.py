"""Degradations: exactness against scipy and Pillow, text forms, order, ranges."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from genimage_core.images import degradation_steps
from genimage_core.images.color import RGBImage
from genimage_core.images.degradations import (
    PAPER_SUITE,
    Chain,
    Crop,
    Degradation,
    GaussianBlur,
    Jpeg,
    LowRes,
    Resize,
    Screen,
    chain,
    degradation_types,
    paper_suite,
    parse,
    sweep,
)
from genimage_core.utils.errors import DegradationError


def noise(height: int, width: int) -> RGBImage:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def checks(height: int, width: int, cell: int) -> RGBImage:
    """Black and white cells at random: the largest steps there are."""
    shape = (height // cell + 1, width // cell + 1, 3)
    coarse = np.random.default_rng(1).integers(0, 2, shape, dtype=np.uint8) * 255
    return np.ascontiguousarray(coarse.repeat(cell, 0).repeat(cell, 1)[:height, :width])


def half_and_half(height: int, width: int) -> RGBImage:
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[:, width // 2 :] = 255
    image[: height // 2] = 255
    return image


IMAGES = {
    "noise": noise(213, 331),
    "black and white noise": checks(160, 201, 1),
    "checks": checks(200, 150, 9),
    "corner": half_and_half(180, 180),
    "tiny": noise(7, 9),
    "white": np.full((40, 50, 3), 255, dtype=np.uint8),
}
images = pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())


def largest_difference(a: RGBImage, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(np.float64) - b).max())


def pillow_jpeg(image: RGBImage, quality: int, subsampling: str) -> RGBImage:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer).convert("RGB"))


def pillow_resize(image: RGBImage, height: int, width: int) -> RGBImage:
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


@images
@pytest.mark.parametrize("sigma", [0.3, 0.5, 1, 2, 3, 5, 8, 20])
def test_blur_is_the_exact_convolution_within_two_levels(image: RGBImage, sigma: float) -> None:
    exact = gaussian_filter(image.astype(np.float64), (sigma, sigma, 0), mode="mirror", truncate=10)
    assert largest_difference(GaussianBlur(sigma)(image), exact) <= 2


@images
@pytest.mark.parametrize("quality", [1, 30, 65, 75, 96, 100])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
def test_jpeg_is_pillows_pixel_for_pixel(image: RGBImage, quality: int, subsampling: str) -> None:
    np.testing.assert_array_equal(Jpeg(quality, subsampling)(image), pillow_jpeg(image, quality, subsampling))


def test_jpeg_without_the_rgb_flag_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    image = IMAGES["noise"]
    expected = pillow_jpeg(image, 65, "4:2:0")
    monkeypatch.setattr(degradation_steps, "_READ_RGB", None)
    np.testing.assert_array_equal(Jpeg(65)(image), expected)


@pytest.mark.parametrize(
    "image", [noise(480, 333), checks(333, 480, 1), checks(300, 300, 8)], ids=["noise", "pixels", "checks"]
)
@pytest.mark.parametrize("size", [32, 64, 112, 224])
def test_lowres_is_pillows_bicubic_within_two_levels(image: RGBImage, size: int) -> None:
    height, width = image.shape[:2]
    scale = size / min(height, width)
    small = pillow_resize(image, round(height * scale), round(width * scale))
    ours = LowRes(size, "down")(image)
    assert min(ours.shape[:2]) == size
    assert largest_difference(ours, small) <= 2
    assert largest_difference(LowRes(size)(image), pillow_resize(small, height, width)) <= 2


@pytest.mark.parametrize("mode", ["down", "down-up"])
def test_lowres_leaves_small_images_alone(mode: degradation_steps.LowResMode) -> None:
    image = noise(112, 300)
    np.testing.assert_array_equal(LowRes(112, mode)(image), image)
    np.testing.assert_array_equal(LowRes(500, mode)(image), image)
    assert (LowRes(111, mode)(image).shape == image.shape) == (mode == "down-up")


def test_lowres_keeps_a_sliver() -> None:
    assert LowRes(1, "down")(noise(2, 400)).shape == (1, 200, 3)
    assert LowRes(1)(noise(2, 400)).shape == (2, 400, 3)


@pytest.mark.parametrize("percent", [10, 33, 75, 150])
def test_resize_is_pillows_bicubic_within_two_levels(percent: int) -> None:
    image = checks(300, 201, 3)
    height, width = round(300 * percent / 100), round(201 * percent / 100)
    assert largest_difference(Resize(percent)(image), pillow_resize(image, height, width)) <= 2


def test_crop_keeps_the_middle_pixel_for_pixel() -> None:
    image = noise(100, 200)
    np.testing.assert_array_equal(Crop(80)(image), image[10:90, 20:180])
    assert Crop(10)(noise(3, 40)).shape == (1, 4, 3)


def test_a_screenshot_fits_the_screen_and_loses_the_size() -> None:
    assert Screen()(noise(200, 400)).shape == (240, 480, 3)  # 125 %, then 96 %
    height, width, _ = Screen()(np.zeros((3000, 4000, 3), np.uint8)).shape
    assert (height, width) == (1037, 1382)  # 1080 x 1440, trimmed


ALL_STEPS = [
    LowRes(64), LowRes(64, "down"), Jpeg(40), Jpeg(40, "4:4:4"), GaussianBlur(1.5), GaussianBlur(0),
    Resize(75), Resize(100), Crop(80), Crop(100), Screen(),
]  # fmt: skip


@pytest.mark.parametrize("step", [*ALL_STEPS, Chain(), chain(Jpeg(40), GaussianBlur(2))], ids=str)
def test_every_step_keeps_type_and_input(step: Degradation) -> None:
    image = noise(90, 120)
    before = image.copy()
    frozen = image.copy()
    frozen.flags.writeable = False
    mirrored = np.asfortranarray(image)[:, ::-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = step(image)
        np.testing.assert_array_equal(step(frozen), result)
        np.testing.assert_array_equal(step(mirrored), step(np.ascontiguousarray(mirrored)))
    assert result.dtype == np.uint8
    assert result.shape[2] == 3
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(image, before)


def test_channels_stay_in_order() -> None:
    red = np.zeros((128, 128, 3), dtype=np.uint8)
    red[..., 0] = 220
    for step in (Jpeg(90), GaussianBlur(2), LowRes(64), Resize(50), Crop(50), Screen()):
        mean = step(red).mean(axis=(0, 1))
        assert mean[0] > 210
        assert mean[1:].max() < 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lowres:112", LowRes(112)),
        ("lowres:112:down", LowRes(112, "down")),
        ("jpeg:65", Jpeg(65)),
        ("jpeg:65:444", Jpeg(65, "4:4:4")),
        ("blur:3", GaussianBlur(3)),
        ("blur:0.5", GaussianBlur(0.5)),
        ("none", Chain()),
        ("resize:75", Resize(75)),
        ("crop:80", Crop(80)),
        ("screen", Screen()),
        ("resize:50+crop:80+jpeg:65", Chain((Resize(50), Crop(80), Jpeg(65)))),
        ("blur:3+jpeg:65", Chain((GaussianBlur(3), Jpeg(65)))),
        ("lowres:64+blur:0.1+jpeg:30:422", Chain((LowRes(64), GaussianBlur(0.1), Jpeg(30, "4:2:2")))),
    ],
)
def test_text_forms_round_trip(text: str, expected: Degradation) -> None:
    assert parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", "none"),
        (" NONE ", "none"),
        ("Blur:3.0 + JPEG:65", "blur:3+jpeg:65"),
        ("jpeg:65:4:4:4", "jpeg:65:444"),
        ("jpeg:65:4:2:0", "jpeg:65"),
        ("lowres:112:down-up", "lowres:112"),
    ],
)
def test_other_spellings(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


def test_blur_comes_before_jpeg_unless_asked_otherwise() -> None:
    text = "jpeg:65+blur:3"
    assert str(parse(text)) == "blur:3+jpeg:65"
    assert str(parse(text, keep_order=True)) == text
    assert str(chain(Jpeg(65), GaussianBlur(3))) == "blur:3+jpeg:65"
    assert str(chain(Jpeg(65), GaussianBlur(3), keep_order=True)) == text
    assert (
        str(parse("lowres:64+jpeg:65+lowres:32+blur:3+blur:1")) == "lowres:64+blur:3+blur:1+jpeg:65+lowres:32"
    )


def test_a_chain_applies_its_steps_in_order() -> None:
    image = noise(80, 100)
    blur, jpeg = GaussianBlur(2), Jpeg(30)
    np.testing.assert_array_equal(chain(jpeg, blur)(image), jpeg(blur(image)))
    np.testing.assert_array_equal(chain(jpeg, blur, keep_order=True)(image), blur(jpeg(image)))
    assert not np.array_equal(jpeg(blur(image)), blur(jpeg(image)))
    nested = Chain((Chain((blur,)), jpeg))
    assert nested == Chain((blur, jpeg))
    assert Chain()(image) is image


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("jpg:65", "jpg:65"),
        ("jpeg", "jpeg"),
        ("jpeg:0", "1 to 100"),
        ("jpeg:101", "1 to 100"),
        ("jpeg:65.5", "jpeg:65.5"),
        ("jpeg:65:411", "4:1:1"),
        ("blur:-1", "0 to 50"),
        ("blur:nan", "0 to 50"),
        ("blur:1e999", "0 to 50"),
        ("blur:x", "blur:x"),
        ("blur:1:2", "blur:1:2"),
        ("lowres:0", "1 to 4096"),
        ("resize:5", "10 to 200"),
        ("crop:101", "10 to 100"),
        ("crop:x", "crop:x"),
        ("screen:2", "screen:2"),
        ("lowres:64:up", '"up"'),
        ("blur:3++jpeg:65", "(empty)"),
        ("blur:3+what:1", "what:1"),
    ],
)
def test_bad_text_names_the_part_and_shows_an_example(text: str, part: str) -> None:
    with pytest.raises(DegradationError) as caught:
        parse(text)
    assert part in str(caught.value)
    examples = ("jpeg:65", "blur:3", "lowres:112", "resize:75", "crop:80")
    assert any(example in caught.value.hint for example in examples)


def test_bad_parameters() -> None:
    for make in (lambda: Jpeg(True), lambda: LowRes(1.5), lambda: GaussianBlur("3")):  # type: ignore[arg-type]
        with pytest.raises(DegradationError):
            make()


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 4, 3), dtype=np.float32),
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
    ],
    ids=["float", "grey", "rgba", "empty"],
)
def test_bad_arrays(bad: np.ndarray) -> None:
    for step in (*ALL_STEPS, Chain()):
        with pytest.raises(DegradationError):
            step(bad)


def test_jpeg_refuses_what_the_format_cannot_hold() -> None:
    with pytest.raises(DegradationError, match="65500"):
        Jpeg(65)(np.zeros((1, 65_501, 3), dtype=np.uint8))


def test_paper_suite() -> None:
    assert {name: str(step) for name, step in PAPER_SUITE.items()} == {
        "LR 112": "lowres:112",
        "LR 64": "lowres:64",
        "JPEG 65": "jpeg:65",
        "JPEG 30": "jpeg:30",
        "Blur 3": "blur:3",
        "Blur 5": "blur:5",
    }
    assert str(paper_suite("down")["LR 64"]) == "lowres:64:down"


@pytest.mark.parametrize("kind", ["jpeg", "blur", "lowres"])
def test_sweeps_get_worse_and_meet_the_paper(kind: str) -> None:
    image = checks(256, 256, 5)
    losses = [float(np.square(step(image).astype(float) - image).mean()) for step in sweep(kind)]
    assert losses == sorted(losses)
    assert losses[0] < losses[-1]
    assert len(sweep(kind)) == len(degradation_types()[kind].curve.severities)
    assert {str(s) for s in PAPER_SUITE.values() if str(s).startswith(kind)} <= set(map(str, sweep(kind)))


def test_sweep_options_and_errors() -> None:
    assert all(str(step).endswith(":down") for step in sweep("lowres", mode="down"))
    with pytest.raises(DegradationError, match="lowres"):
        sweep("noise")
