"""From an image of any size to the square views that a network reads."""

from __future__ import annotations

import cv2
import numpy as np

from genimage_core.detectors.info import InputSpec, Preprocessing
from genimage_core.utils.errors import WeightsError

BUNDLED_VIEWS = 24


def pad_to(image: np.ndarray, side: int) -> np.ndarray:
    """Mirror an (H, W, 3) image at its edges until both sides reach `side` px.

    Mirroring adds no edge and no new statistics, unlike black bars or upscaling.
    """
    missing_h, missing_w = max(0, side - image.shape[0]), max(0, side - image.shape[1])
    if not missing_h and not missing_w:
        return image
    top, left = missing_h // 2, missing_w // 2
    pads = ((top, missing_h - top), (left, missing_w - left), (0, 0))
    return np.pad(image, pads, mode="symmetric")


def tile_origins(height: int, width: int, side: int) -> list[tuple[int, int]]:
    """(top, left) of evenly spread tiles; at least one.

    Where a fifth of a tile or more would be lost at either edge, there is one more along that direction and
    all of them overlap: a small picture would else be judged by its middle alone.
    """

    def starts(length: int) -> list[int]:
        count, rest = divmod(length, side)
        if 5 * rest >= 2 * side:
            count += 1
        if count <= 1:
            return [(length - side) // 2]
        return [round(i * (length - side) / (count - 1)) for i in range(count)]

    return [(top, left) for top in starts(height) for left in starts(width)]


def texture(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H, W) float32, the absolute Laplacian of the grey image."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.abs(cv2.Laplacian(grey, cv2.CV_32F))


def chosen_origins(image: np.ndarray, side: int, max_tiles: int) -> list[tuple[int, int]]:
    """(top, left) of the tiles that `tile_views` cuts, in an image that `pad_to` has made large enough."""
    origins = tile_origins(image.shape[0], image.shape[1], side)
    if len(origins) > max_tiles:
        detail = texture(image)
        strength = [float(detail[t : t + side, x : x + side].mean()) for t, x in origins]
        order = np.argsort(strength, kind="stable")[::-1][:max_tiles]
        origins = [origins[i] for i in order]
    return origins


def tile_views(image: np.ndarray, side: int, max_tiles: int) -> list[np.ndarray]:
    """Cut at most `max_tiles` native-resolution tiles of `side` px, the most textured first.

    Flat areas (sky, blur, white paper) hold next to no trace of how an image was made, so where
    there are more tiles than may be scored, those with the strongest texture are taken.
    """
    image = pad_to(image, side)
    origins = chosen_origins(image, side, max_tiles)
    return [image[t : t + side, x : x + side] for t, x in origins]


def paper_view(image: np.ndarray, resize: int | None, crop: int) -> np.ndarray:
    """The paper's own input: shorter side to `resize` px (bicubic), centre crop of `crop` px."""
    if resize is not None:
        from PIL import Image

        height, width = image.shape[:2]
        scale = resize / min(height, width)
        size = (max(crop, round(width * scale)), max(crop, round(height * scale)))
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    image = pad_to(image, crop)
    top, left = (image.shape[0] - crop) // 2, (image.shape[1] - crop) // 2
    return image[top : top + crop, left : left + crop]


def bundled_views(spec: InputSpec) -> list[np.ndarray]:
    """Views of the bundled sample pictures, real and generated, to calibrate on.

    Raises:
        WeightsError: no samples are bundled.
    """
    from genimage_core.images.load import list_image_files, load_image
    from genimage_core.utils.paths import asset

    folder = asset("samples")
    files = sorted(p for p in list_image_files([folder])) if folder.is_dir() else []
    if not files:
        raise WeightsError("no pictures to calibrate on.", hint="Restore assets/samples.", source=str(folder))
    each = max(1, BUNDLED_VIEWS // len(files))
    return [
        np.ascontiguousarray(view)
        for file in files
        for view in tile_views(load_image(file).pixels, spec.tile, each)
    ][:BUNDLED_VIEWS]


def cut_views(image: np.ndarray, spec: InputSpec, preprocessing: Preprocessing) -> list[np.ndarray]:
    """The (S, S, 3) uint8 views of an (H, W, 3) image that a network reads."""
    if preprocessing == "resize":
        return [paper_view(image, spec.paper_resize, spec.paper_crop)]
    if spec.whole:
        return [paper_view(image, spec.tile, spec.tile), paper_view(image, None, spec.tile)]
    return tile_views(image, spec.tile, spec.max_tiles)
