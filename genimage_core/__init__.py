"""GenImage Lab's core: images, degradations, detectors, training and the published tables.

Importable without streamlit or gradio. The conventions that hold everywhere: images are RGB uint8
arrays of shape (H, W, 3); scores are P(fake) in [0, 1]; labels are `ai` and `nature` on disk, and
fake = 1, real = 0 in code.
"""

__version__ = "0.1.0"
