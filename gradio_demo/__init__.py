"""The Gradio demo: a thin front over genimage_core. `gradio_app.py` starts it."""

from gradio_demo import gpu  # noqa: F401  (first of all: on ZeroGPU Spaces `spaces` comes before torch)
