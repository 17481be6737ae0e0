"""What each degradation does to the pixels: GenImage's Task 2 (LowRes, Jpeg, GaussianBlur), what the
web does besides (Crop, Resize, Screen). Each is a registered dataclass with all that people see of it.

Every one takes and gives uint8 height x width x 3 RGB. The paper (Zhu et al., NeurIPS 2023,
arXiv:2306.08571) names its conditions "LR 112", "LR 64", "JPEG 65", "JPEG 30", "Blur 3", "Blur 5" and says no
more; what it leaves open is decided, and explained, in each class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import cv2
import numpy as np

from genimage_core.images.color import RGBImage
from genimage_core.images.degradation_base import (
    Choice,
    Curve,
    Degradation,
    Slider,
    Switch,
    as_image,
    check_whole,
    checked,
    is_number,
    number,
    register_degradation,
)
from genimage_core.utils.errors import DegradationError

LowResMode = Literal["down-up", "down"]

_SUBSAMPLING = {
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
# The flag saves one pass; OpenCV has it since 4.11.
_READ_RGB: int | None = getattr(cv2, "IMREAD_COLOR_RGB", None)


@register_degradation
@dataclass(frozen=True)
class Crop(Degradation):
    """Keep the middle of the image, pixel for pixel.

    Attributes:
        percent: of each side, 10..100; a side keeps at least one pixel.
    """

    percent: int

    name: ClassVar[str] = "crop"
    parameter: ClassVar[str] = "percent"
    control: ClassVar[Slider] = Slider("Crop (percent of each side kept)", (None, *range(95, 25, -5)))

    def __post_init__(self) -> None:
        """Check the parameter."""
        check_whole("crop percentage", self.percent, 10, 100, "crop:80")

    def __call__(self, image: RGBImage) -> RGBImage:
        """Crop the image."""
        image = checked(image)
        height, width = (max(1, round(side * self.percent / 100)) for side in image.shape[:2])
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        return np.ascontiguousarray(image[top : top + height, left : left + width])

    def __str__(self) -> str:
        """Return "crop:PERCENT"."""
        return f"crop:{self.percent}"

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return f"a crop to {self.percent} %"


@register_degradation
@dataclass(frozen=True)
class Resize(Degradation):
    """Scale both sides, as a site does with an upload; the filter is that of `LowRes`.

    Attributes:
        percent: of each side, 10..200; a side keeps at least one pixel.
    """

    percent: int

    name: ClassVar[str] = "resize"
    parameter: ClassVar[str] = "percent"
    control: ClassVar[Slider] = Slider(
        "Resize (percent of each side)", (200, 175, 150, 125, 110, None, 90, 80, 75, 67, 60, 50, 40, 33, 25)
    )

    def __post_init__(self) -> None:
        """Check the parameter."""
        check_whole("resize percentage", self.percent, 10, 200, "resize:75")

    def __call__(self, image: RGBImage) -> RGBImage:
        """Scale the image."""
        image = checked(image)
        height, width = (max(1, round(side * self.percent / 100)) for side in image.shape[:2])
        return image if self.percent == 100 else _resize(image, height, width)

    def __str__(self) -> str:
        """Return "resize:PERCENT"."""
        return f"resize:{self.percent}"

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return f"resizing to {self.percent} %"


@register_degradation
@dataclass(frozen=True)
class Screen(Degradation):
    """What a screenshot keeps of a picture: scaled as it is shown, saved without loss, trimmed at the edges.

    A picture that fits is shown at 125 %, the usual scaling of a laptop's screen; a larger one is shrunk to
    fit into 1920 x 1080 px. Browsers interpolate bilinearly. Then 2 % of each side are cut off all round, so
    that neither the size nor the JPEG grid of the original is left.
    """

    name: ClassVar[str] = "screen"
    control: ClassVar[Switch] = Switch(
        "Screenshot",
        "Shown on a screen (scaled to fit, or to 125 %) and trimmed at the edges, as a screenshot keeps it.",
    )

    def __call__(self, image: RGBImage) -> RGBImage:
        """Scale and trim the image."""
        image = checked(image)
        height, width = image.shape[:2]
        scale = min(1.25, 1080 / height, 1920 / width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shown = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA)
        return Crop(96)(as_image(shown))

    def __str__(self) -> str:
        """Return "screen"."""
        return "screen"

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return "a screenshot"


@register_degradation
@dataclass(frozen=True)
class LowRes(Degradation):
    """Shrink with an antialiased bicubic filter and, in mode "down-up", grow back to the old size.

    The shorter side becomes `size` pixels and the aspect ratio is kept: that is what `Resize(size)` means in
    the field's tooling (torchvision), nothing is distorted, and for the square images of most generators all
    readings agree. Public code takes "low resolution" both ways, so the mode is named in each result:
    "down-up" removes detail only, "down" also hands the detector a smaller image.
    An image whose shorter side is already `size` or less stays as it is, in both modes.

    The filter is Pillow's (a = -0.5, support widened by the scale), computed on 8 bits; it differs from
    `PIL.Image.resize(..., BICUBIC)` by at most 2 grey levels.

    Attributes:
        size: shorter side in pixels, 1..4096.
        mode: "down-up" or "down".
    """

    size: int
    mode: LowResMode = "down-up"

    name: ClassVar[str] = "lowres"
    parameter: ClassVar[str] = "size"
    control: ClassVar[Slider] = Slider(
        "Low resolution (shorter side in px)",
        (None, 512, 384, 256, 224, 192, 160, 128, 112, 96, 80, 64, 48, 32),
    )
    choice: ClassVar[Choice] = Choice(
        "mode",
        {"down-up": "Shrink, then enlarge", "down": "Shrink only"},
        "The paper does not say which it did; public code does either.",
    )
    curve: ClassVar[Curve] = Curve(
        "Low resolution",
        "Low resolution: shorter side in px, then enlarged again",
        (224, 192, 160, 128, 112, 96, 64, 48, 32),
    )

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_whole("low-res size", self.size, 1, 4096, "lowres:112")
        if self.mode not in get_args(LowResMode):
            raise DegradationError(
                f'The low-res mode "{self.mode}" is unknown.', hint='Write "lowres:112" or "lowres:112:down".'
            )

    def __call__(self, image: RGBImage) -> RGBImage:
        """Shrink (and grow) the image."""
        image = checked(image)
        height, width = image.shape[:2]
        if min(height, width) <= self.size:
            return image
        scale = self.size / min(height, width)
        small = _resize(image, max(1, round(height * scale)), max(1, round(width * scale)))
        return small if self.mode == "down" else _resize(small, height, width)

    def __str__(self) -> str:
        """Return "lowres:SIZE" or "lowres:SIZE:down"."""
        return f"lowres:{self.size}" + (":down" if self.mode == "down" else "")

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return f"low-res {self.size}"

    @classmethod
    def read(cls, size: str, mode: str = "down-up") -> LowRes:  # type: ignore[override]
        """Read "SIZE" or "SIZE:down"."""
        return cls(int(size), mode)  # type: ignore[arg-type]  # checked by the class


@register_degradation
@dataclass(frozen=True)
class GaussianBlur(Degradation):
    """Convolve with a Gaussian; beyond the border the image is mirrored without repeating the edge pixel.

    The paper's "blur 3" and "blur 5" are read as sigma in pixels, as the field's benchmark code does.
    The kernel is cut at 3 sigma. Less than 0.27 % of its weight lies beyond on each axis, so with rounding no
    pixel is more than 255 * 0.0054 + 0.5 = 1.9 grey levels from the exact convolution, whatever the image.

    Attributes:
        sigma: standard deviation in pixels, 0..50; 0 does nothing.
    """

    sigma: float

    name: ClassVar[str] = "blur"
    parameter: ClassVar[str] = "sigma"
    control: ClassVar[Slider] = Slider("Blur (sigma in px)", (None, *(step / 2 for step in range(1, 13))))
    curve: ClassVar[Curve] = Curve("Blur", "Blur: sigma in px", (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6))

    def __post_init__(self) -> None:
        """Check the parameter."""
        if not is_number(self.sigma) or not 0 <= self.sigma <= 50:
            raise DegradationError(
                f"The blur's sigma must be a number from 0 to 50, not {self.sigma!r}.", hint='Write "blur:3".'
            )

    def __call__(self, image: RGBImage) -> RGBImage:
        """Blur the image."""
        image = checked(image)
        if self.sigma == 0:
            return image
        size = 2 * math.ceil(3 * self.sigma) + 1
        kernel = cv2.getGaussianKernel(size, self.sigma, cv2.CV_32F)
        # OpenCV rounds the weights of a kernel that sums to exactly 1 to 8 bits, which costs up to 2 grey
        # levels more; a sum that is off by 4e-6 (0.002 levels) keeps it at floating point, at the same speed.
        kernel = np.asarray(kernel * (1 + 4e-6), dtype=np.float32)
        return as_image(cv2.sepFilter2D(image, cv2.CV_8U, kernel, kernel, borderType=cv2.BORDER_REFLECT_101))

    def __str__(self) -> str:
        """Return "blur:SIGMA"."""
        return f"blur:{number(self.sigma)}"

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return f"blur {self.sigma:g}"

    @classmethod
    def read(cls, sigma: str) -> GaussianBlur:  # type: ignore[override]
        """Read "SIGMA"."""
        return cls(float(sigma))


@register_degradation
@dataclass(frozen=True)
class Jpeg(Degradation):
    """Encode as baseline JPEG and decode again: pixel for pixel what Pillow gives at the same settings.

    Attributes:
        quality: 1..100 on the IJG scale.
        subsampling: of the colour channels: "4:2:0" (Pillow's and OpenCV's default), "4:2:2" or "4:4:4".
    """

    quality: int
    subsampling: str = "4:2:0"

    name: ClassVar[str] = "jpeg"
    parameter: ClassVar[str] = "quality"
    control: ClassVar[Slider] = Slider("JPEG quality", (None, *range(95, 5, -5)))
    curve: ClassVar[Curve] = Curve(
        "JPEG quality", "JPEG quality, from mild to severe", (95, 90, 80, 70, 65, 50, 40, 30, 20)
    )
    last: ClassVar[bool] = True  # a file is compressed last

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_whole("JPEG quality", self.quality, 1, 100, "jpeg:65")
        if self.subsampling not in _SUBSAMPLING:
            raise DegradationError(
                f'The JPEG subsampling "{self.subsampling}" is unknown.',
                hint='Write "jpeg:65" (4:2:0), "jpeg:65:422" or "jpeg:65:444".',
            )

    def __call__(self, image: RGBImage) -> RGBImage:
        """Encode and decode the image."""
        image = checked(image)
        if max(image.shape[:2]) > 65_500:
            raise DegradationError("JPEG ends at 65500 pixels a side.", hint="Scale the image down first.")
        options = [
            cv2.IMWRITE_JPEG_QUALITY, self.quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SUBSAMPLING[self.subsampling],
        ]  # fmt: skip
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
        if _READ_RGB is not None:
            return as_image(cv2.imdecode(encoded, _READ_RGB))
        decoded = as_image(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
        return as_image(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))

    def __str__(self) -> str:
        """Return "jpeg:QUALITY", or "jpeg:QUALITY:444" for another subsampling than 4:2:0."""
        tail = "" if self.subsampling == "4:2:0" else ":" + self.subsampling.replace(":", "")
        return f"jpeg:{self.quality}{tail}"

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return f"JPEG {self.quality}"

    @classmethod
    def read(cls, quality: str, *subsampling: str) -> Jpeg:  # type: ignore[override]
        """Read "QUALITY", "QUALITY:444" or "QUALITY:4:4:4"."""
        return cls(int(quality), ":".join("".join(subsampling))) if subsampling else cls(int(quality))


def _resize(image: RGBImage, height: int, width: int) -> RGBImage:
    # torch takes half a second to import, and most degradations do without it.
    import torch

    # torch warns, once, when it wraps an array that may not be written to.
    owned = image if image.flags.writeable else image.copy()
    # This order of calls makes a channels_last tensor, for which torch has its fast 8-bit kernel.
    batch = torch.from_numpy(owned).unsqueeze(0).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(batch, size=(height, width), mode="bicubic", antialias=True)
    return as_image(resized[0].permute(1, 2, 0).contiguous().numpy())


@register_degradation
@dataclass(frozen=True)
class Thumbnail(Degradation):
    """What a messenger or a search page keeps: the longer side shrunk, then WebP of quality 80.

    Attributes:
        size: longer side in px, 16..4096; smaller images are only encoded.
    """

    size: int

    name: ClassVar[str] = "thumb"
    parameter: ClassVar[str] = "size"
    control: ClassVar[Slider] = Slider(
        "Thumbnail (longer side in px, WebP)", (None, 1600, 1200, 800, 600, 400, 300, 200)
    )
    last: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameter."""
        check_whole("thumbnail size", self.size, 16, 4096, "thumb:400")

    def __call__(self, image: RGBImage) -> RGBImage:
        """Shrink and encode the image."""
        image = checked(image)
        height, width = image.shape[:2]
        scale = self.size / max(height, width)
        if scale < 1:
            image = _resize(image, max(1, round(height * scale)), max(1, round(width * scale)))
        _, encoded = cv2.imencode(
            ".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 80]
        )
        return as_image(cv2.cvtColor(as_image(cv2.imdecode(encoded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))

    def __str__(self) -> str:
        """Return "thumb:SIZE"."""
        return f"thumb:{self.size}"

    @property
    def words(self) -> str:
        """What was done, as a visitor reads it."""
        return f"thumbnail {self.size}"
