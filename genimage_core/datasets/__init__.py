"""Data sets in GenImage's layout, and the data protocols that say how they are read."""

from genimage_core.datasets.protocols import DataProtocol, data_protocol, list_data_protocols
from genimage_core.datasets.scan import Record, list_generators, scan_dataset

__all__ = [
    "DataProtocol",
    "Record",
    "data_protocol",
    "list_data_protocols",
    "list_generators",
    "scan_dataset",
]
