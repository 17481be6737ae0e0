"""Results that are kept: the paper's, those measured here, both side by side, and the model cards."""
