"""Four small generative models, each of another kind; each remakes a picture from less than the picture.

Pictures are float32 in [-1, 1], (N, 3, H, W), sides that 8 divides. `loss` trains; `remake` makes the fake.
"""

from __future__ import annotations

import itertools
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _layer(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1), nn.SiLU())


class Family(nn.Module):
    """A generative model.

    Attributes:
        name: the generator's folder.
        description: how its pictures come about, one sentence.
    """

    name: ClassVar[str]
    description: ClassVar[str]

    def loss(self, x: Tensor) -> Tensor:
        """Training loss on pictures."""
        raise NotImplementedError

    def remake(self, x: Tensor) -> Tensor:
        """Pictures -> fakes of the same shape."""
        raise NotImplementedError


class Autoencoder(Family):
    """Squeezed to 1/8 of the size, opened again by transposed convolutions."""

    name = "tiny_autoencoder"
    description = "Photograph squeezed by a convolutional autoencoder, opened by transposed convolutions."

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(_layer(3, 24, 2), _layer(24, 48, 2), nn.Conv2d(48, 24, 3, 2, 1))
        opened = [
            layer for a, b in ((24, 48), (48, 32)) for layer in (nn.ConvTranspose2d(a, b, 4, 2, 1), nn.SiLU())
        ]
        self.decode = nn.Sequential(*opened, nn.ConvTranspose2d(32, 3, 4, 2, 1))

    def loss(self, x: Tensor) -> Tensor:
        """Mean absolute error."""
        return F.l1_loss(self.decode(self.encode(x)), x)

    def remake(self, x: Tensor) -> Tensor:
        """Decode the encoded picture."""
        return self.decode(self.encode(x))


class VariationalAutoencoder(Family):
    """A latent Gaussian, sampled, then upsampled by repetition and convolved."""

    name = "tiny_vae"
    description = "Sampled from the latents that a variational autoencoder finds for a photograph."

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(_layer(3, 24, 2), _layer(24, 48, 2), nn.Conv2d(48, 2 * 16, 3, 1, 1))
        twice = nn.Upsample(scale_factor=2)
        self.decode = nn.Sequential(
            _layer(16, 48), twice, _layer(48, 32), twice, _layer(32, 24), nn.Conv2d(24, 3, 3, 1, 1)
        )

    def _sample(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        log_var = log_var.clamp(-8, 4)
        latent = mean + (log_var / 2).exp() * torch.randn_like(mean)
        divergence = (mean.square() + log_var.exp() - log_var - 1).mean() / 2
        return self.decode(latent), divergence

    def loss(self, x: Tensor) -> Tensor:
        """Mean absolute error and the divergence from a standard Gaussian."""
        made, divergence = self._sample(x)
        return F.l1_loss(made, x) + 0.01 * divergence

    def remake(self, x: Tensor) -> Tensor:
        """Decode one sample."""
        return self._sample(x)[0]


class AdversarialUpscaler(Family):
    """Shrunk four times and enlarged by a generator that a critic of patches has trained."""

    name = "tiny_gan"
    description = "A generator, trained against a critic of patches, enlarges a photograph shrunk four times."

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(
            _layer(3, 48), _layer(48, 48), _layer(48, 48), nn.Conv2d(48, 3 * 16, 3, 1, 1), nn.PixelShuffle(4)
        )
        self.critic = nn.Sequential(_layer(3, 24, 2), _layer(24, 48, 2), nn.Conv2d(48, 1, 3, 1, 1))

    def remake(self, x: Tensor) -> Tensor:
        """Shrink, then enlarge."""
        return F.interpolate(small := F.avg_pool2d(x, 4), scale_factor=4.0) + self.generator(small)

    def loss(self, x: Tensor) -> Tensor:
        """Distance, what the critic says of the fake, and the critic's own loss (hinge), in one.

        The critic's weights get no gradient from the generator's part, nor the generator from the critic's.
        """
        made = self.remake(x)
        own = F.relu(1 - self.critic(x)).mean() + F.relu(1 + self.critic(made.detach())).mean()
        frozen = {name: value.detach() for name, value in self.critic.named_parameters()}
        said = torch.func.functional_call(self.critic, frozen, (made,))
        return F.l1_loss(made, x) - 0.02 * said.mean() + own


class DiffusionRefiner(Family):
    """Shrunk four times; the detail comes back by diffusion from noise."""

    name = "tiny_diffusion"
    description = "A small diffusion model draws the detail of a photograph shrunk four times."
    spread = 0.25
    steps = 8

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            _layer(4 * 6 + 1, 64), _layer(64, 64), _layer(64, 64), nn.Conv2d(64, 12, 3, 1, 1)
        )

    def _denoise(self, noisy: Tensor, below: Tensor, sigma: Tensor) -> Tensor:
        """Noisy detail, the picture without it, (N, 1, 1, 1) noise -> estimate of the detail."""
        total = (sigma.square() + self.spread**2).sqrt()
        seen = F.pixel_unshuffle(torch.cat([noisy / total, below], 1), 2)
        level = (sigma.log() / 4).expand(-1, 1, *seen.shape[2:])
        out = F.pixel_shuffle(self.net(torch.cat([seen, level], 1)), 2)
        return noisy * (self.spread / total) ** 2 + out * sigma * self.spread / total

    @staticmethod
    def _below(x: Tensor) -> Tensor:
        return F.interpolate(F.avg_pool2d(x, 4), scale_factor=4.0, mode="bicubic")

    def loss(self, x: Tensor) -> Tensor:
        """Denoising loss with the weights of Karras et al. (2022)."""
        below = self._below(x)
        detail = x - below
        sigma = torch.exp(torch.randn(len(x), 1, 1, 1) * 1.2 - 1.5)
        found = self._denoise(detail + sigma * torch.randn_like(detail), below, sigma)
        weight = (sigma.square() + self.spread**2) / (sigma * self.spread).square()
        return (weight * (found - detail).square()).mean()

    def remake(self, x: Tensor) -> Tensor:
        """Euler's method down the noise levels."""
        below = self._below(x)
        levels = [*torch.logspace(0.5, -2, self.steps).tolist(), 0.0]
        detail = torch.randn_like(x) * levels[0]
        for now, then in itertools.pairwise(levels):
            sigma = torch.full((len(x), 1, 1, 1), now)
            slope = (detail - self._denoise(detail, below, sigma)) / now
            detail = detail + slope * (then - now)
        return below + detail


FAMILIES: tuple[type[Family], ...] = (
    Autoencoder,
    VariationalAutoencoder,
    AdversarialUpscaler,
    DiffusionRefiner,
)
