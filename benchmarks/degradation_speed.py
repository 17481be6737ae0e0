"""Time each degradation against the libraries that do the same, in one run.

    python -m benchmarks.degradation_speed [--rounds 15]

Prints the median milliseconds per operation at 1024x1024 and 12 megapixels, and our time divided by that
of the fastest library doing the same job: RGB in, RGB out. The contenders take turns, so that whatever else
the machine does hits all alike. "OpenCV BGR" is for information: the round trip without the channel swaps
that RGB costs.
"""

from __future__ import annotations

import argparse
import importlib
import io
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from genimage_core.images.color import RGBImage
from genimage_core.images.degradations import GaussianBlur, Jpeg, LowRes

Operation = Callable[[RGBImage], object]


def photo_like(height: int, width: int) -> RGBImage:
    """Return smooth shapes with some grain, uint8 height x width x 3: compresses about like a photograph."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 64 + 2, width // 64 + 2, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def pillow_jpeg(image: RGBImage) -> object:
    """Round trip at quality 65."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=65)
    return np.asarray(Image.open(buffer))


def opencv_bgr_jpeg(image: RGBImage) -> RGBImage:
    """Round trip at quality 65, BGR in and out."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 65])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)  # type: ignore[return-value]


def opencv_jpeg(image: RGBImage) -> object:
    """Round trip at quality 65, RGB in and out."""
    return cv2.cvtColor(
        opencv_bgr_jpeg(cv2.cvtColor(image, cv2.COLOR_RGB2BGR)),  # type: ignore[arg-type]
        cv2.COLOR_BGR2RGB,
    )


def small_size(image: RGBImage) -> tuple[int, int]:
    """Return (height, width) with a shorter side of 112."""
    height, width = image.shape[:2]
    scale = 112 / min(height, width)
    return round(height * scale), round(width * scale)


def pillow_lowres(image: RGBImage) -> object:
    """Bicubic down and up."""
    height, width = small_size(image)
    small = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(small.resize(image.shape[1::-1], Image.Resampling.BICUBIC))


def torchvision_lowres() -> Operation | None:
    """Return bicubic down and up by torchvision's v2 transforms, or None where they cannot be imported."""
    try:
        # Mends an import that fails where torchvision was built for CUDA and torch was not.
        importlib.import_module("genimage_core.detectors._timm")
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import resize
    except (ImportError, RuntimeError):
        return None

    def run(image: RGBImage) -> object:
        # Wrapped as a channels_last batch, torchvision's fastest case.
        tensor = torch.from_numpy(image).unsqueeze(0).permute(0, 3, 1, 2)
        small = resize(tensor, list(small_size(image)), InterpolationMode.BICUBIC, antialias=True)
        return resize(small, list(image.shape[:2]), InterpolationMode.BICUBIC, antialias=True).numpy()

    return run


def contenders() -> dict[str, dict[str, Operation]]:
    """Return operation -> {who: function}; "ours" comes first."""
    table: dict[str, dict[str, Operation]] = {
        "jpeg:65": {
            "ours": Jpeg(65),
            "Pillow": pillow_jpeg,
            "OpenCV": opencv_jpeg,
            "OpenCV BGR": opencv_bgr_jpeg,
        },
        "lowres:112": {"ours": LowRes(112), "Pillow": pillow_lowres},
    }
    if run := torchvision_lowres():
        table["lowres:112"]["torchvision"] = run
    for sigma in (3, 5):
        table[f"blur:{sigma}"] = {
            "ours": GaussianBlur(sigma),
            "Pillow": lambda i, s=sigma: np.asarray(Image.fromarray(i).filter(ImageFilter.GaussianBlur(s))),  # type: ignore[misc]
            "OpenCV": lambda i, s=sigma: cv2.GaussianBlur(i, (0, 0), s),  # type: ignore[misc]
        }
    return table


def medians(operations: dict[str, Operation], image: RGBImage, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each, measured in turns after one warm-up."""
    times: dict[str, list[float]] = {who: [] for who in operations}
    for turn in range(rounds + 1):
        for who, operation in operations.items():
            start = time.perf_counter()
            operation(image)
            if turn:
                times[who].append((time.perf_counter() - start) * 1e3)
    return {who: statistics.median(values) for who, values in times.items()}


def blur_errors(image: RGBImage, sigma: float) -> str:
    """Return the largest distance from the exact convolution, in grey levels, for each blur."""
    exact = gaussian_filter(image.astype(np.float64), (sigma, sigma, 0), mode="mirror", truncate=10)
    operations = contenders()[f"blur:{sigma:g}"]
    inside = slice(8 * int(sigma), -8 * int(sigma))  # the libraries treat borders differently
    errors = {
        who: np.abs(np.asarray(operation(image), dtype=np.float64) - exact)[inside, inside].max()
        for who, operation in operations.items()
    }
    return ", ".join(f"{who} {error:.2f}" for who, error in errors.items())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time the degradations against Pillow, OpenCV, torchvision.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for height, width in ((1024, 1024), (3000, 4000)):
        image = photo_like(height, width)
        print(f"\n{width}x{height}, median ms of {rounds}")
        for name, operations in contenders().items():
            result = medians(operations, image, rounds)
            ratio = result["ours"] / min(
                ms for who, ms in result.items() if who not in ("ours", "OpenCV BGR")
            )
            listed = "  ".join(f"{who} {ms:7.1f}" for who, ms in result.items())
            print(f"{name:11} {listed}   ours / fastest library {ratio:.2f}")
    noise = np.random.default_rng(1).integers(0, 2, (512, 512, 3), dtype=np.uint8) * 255
    for sigma in (3, 5):
        print(f"blur:{sigma}, grey levels from exact, black and white noise: {blur_errors(noise, sigma)}")


if __name__ == "__main__":
    main()
