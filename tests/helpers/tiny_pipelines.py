"""Real diffusers pipelines with tiny random networks, saved to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import genimage_core.detectors._timm  # noqa: F401  (mends torchvision, which diffusers imports)

SIDE = 32
"""px of the pictures that fit these pipelines."""


def _tokenizer() -> Any:
    from transformers import CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    return CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[], model_max_length=77)


def _clip(projection: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        hidden_size=32, intermediate_size=37, num_attention_heads=4, num_hidden_layers=2,
        vocab_size=100,
        projection_dim=32, bos_token_id=0, eos_token_id=1, pad_token_id=1, max_position_embeddings=77,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config).eval()


def _t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(vocab_size=100, d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4, pad_token_id=1)
    ).eval()


def _vae(channels: int) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=[8, 16], norm_num_groups=4, in_channels=3,
        out_channels=3, latent_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
        shift_factor=0.06 if channels == 16 else None, sample_size=32,
    )  # fmt: skip


def stable_diffusion(folder: Path, *, width: int = 8) -> Path:
    """A Stable Diffusion 1 pipeline: UNet, CLIP, PNDM."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(width, 2 * width), layers_per_block=1, norm_num_groups=4, sample_size=32,
        in_channels=4,
        out_channels=4, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=32,
    )  # fmt: skip
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    StableDiffusionPipeline(
        unet=unet, scheduler=scheduler, vae=_vae(4), text_encoder=_clip(), tokenizer=_tokenizer(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def flow_matching(folder: Path) -> Path:
    """A Stable Diffusion 3 pipeline: transformer, two CLIP encoders and T5, flow matching."""
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    torch.manual_seed(0)
    transformer = SD3Transformer2DModel(
        sample_size=32, patch_size=1, in_channels=16, num_layers=1, attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=32, caption_projection_dim=32, pooled_projection_dim=64, out_channels=16,
    )  # fmt: skip
    StableDiffusion3Pipeline(
        transformer=transformer, scheduler=FlowMatchEulerDiscreteScheduler(), vae=_vae(16),
        text_encoder=_clip(True), text_encoder_2=_clip(True), text_encoder_3=_t5(), tokenizer=_tokenizer(),
        tokenizer_2=_tokenizer(), tokenizer_3=_tokenizer(),
    ).save_pretrained(folder)  # fmt: skip
    return folder


if __name__ == "__main__":
    import sys

    stable_diffusion(Path(sys.argv[1]) / "tiny_sd")
    flow_matching(Path(sys.argv[1]) / "tiny_flow")
