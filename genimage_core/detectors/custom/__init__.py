"""Detectors of one's own, described by a YAML file."""
