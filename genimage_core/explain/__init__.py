"""Evidence for one image: where, why and how firmly the detectors say what they say.

One file a kind of evidence, one registry: pages, reports and the command line iterate over `list_kinds()`.
"""

from genimage_core.explain.evidence import Evidence, Findings, Kind, Subject
from genimage_core.explain.registry import evidence_kind, explain, explain_all, kind_info, list_kinds

__all__ = [
    "Evidence",
    "Findings",
    "Kind",
    "Subject",
    "evidence_kind",
    "explain",
    "explain_all",
    "kind_info",
    "list_kinds",
]
