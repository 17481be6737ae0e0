"""Detectors exported for ONNX Runtime: export, optimization, quantization, and the models that are kept."""
