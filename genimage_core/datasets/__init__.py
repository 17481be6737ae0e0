"""Data sets in GenImage's layout."""

from genimage_core.datasets.scan import Record, list_generators, scan_dataset

__all__ = ["Record", "list_generators", "scan_dataset"]
