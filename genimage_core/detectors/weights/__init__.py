"""Weights: the bundled ones, folders of one's own, and hub repositories."""
