"""Lay out, check and push the Spaces."""
