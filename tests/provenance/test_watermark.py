"""The invisible watermarks of Stable Diffusion and FLUX: written, read back, not seen where none is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from genimage_core.provenance import read_provenance
from tests.conftest import make_image
from tests.helpers.image_files import encoded, picture
from tests.helpers.provenance_files import embed, says

SD1 = "".join(f"{byte:08b}" for byte in b"StableDiffusionV1")
SDXL = "101100111110110010010000011110111011000110011110"
FLUX = "1010101111111010000111100111001111010100101110"


@pytest.mark.parametrize(
    ("bits", "swapped", "tool"),
    [(SD1, False, "Stable Diffusion 1"), (SDXL, True, "Stable Diffusion XL"), (FLUX, False, "FLUX")],
)
def test_invisible_watermarks(bits: str, swapped: bool, tool: str) -> None:
    image = Image.fromarray(embed(make_image(3, 512), bits, swapped=swapped))
    found = read_provenance(encoded(image, "PNG"))
    assert (found.ai, found.made_by) == (True, tool)
    assert "invisible watermark" in says(found, "watermark", "generator")
    cropped = image.crop((3, 3, 509, 509))
    assert read_provenance(encoded(cropped, "PNG")).ai is None


def test_no_watermark_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    other = "".join(rng.choice(["0", "1"], 48))
    images = [make_image(seed, 320, fake=bool(seed % 2)) for seed in range(8)]
    images += [np.full((320, 320, 3), grey, np.uint8) for grey in (0, 128, 255)]
    images += [rng.integers(0, 256, (320, 320, 3), dtype=np.uint8), embed(make_image(9, 320), other)]
    for image in images:
        assert read_provenance(encoded(Image.fromarray(image), "PNG")).ai is None


def test_given_pixels_are_used_instead_of_decoding() -> None:
    marked = embed(make_image(3, 512), SD1)
    plain = encoded(picture(), "PNG")
    assert read_provenance(plain, pixels=marked).made_by == "Stable Diffusion 1"
