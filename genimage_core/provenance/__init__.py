"""What a file says of its own origin: credentials, metadata, generators' text, watermarks.

Metadata can be edited and stripped. `read_provenance` reports what is there and what it is worth; it never
raises on bad bytes, needs no network and imports no torch.
"""

from genimage_core.provenance.model import Provenance, Source
from genimage_core.provenance.read import read_provenance

__all__ = ["Provenance", "Source", "read_provenance"]
