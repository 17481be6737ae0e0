"""Home's example: its report from disk, or computed once for all visitors while the page stands already."""

import threading

import streamlit as st

from genimage_core.datasets.samples import Sample
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.pipeline import Report
from pages.components.shared import detectors as models

EVERY = 1.5
"""Seconds between two looks whether the report is there."""


class ExampleReport:
    """The report on a sample, there at once where it was kept, else as soon as all detectors have answered.

    Attributes:
        report: None while it is not there.
        error: why it will not come.
    """

    def __init__(self, sample: Sample) -> None:
        from pages.components.home.example_report import find_report

        self.report: Report | None = find_report(sample)
        self.error: GenImageError | ValueError | None = None
        if self.report is None:
            detectors = models.store()
            threading.Thread(
                target=self._make, args=(sample, detectors), name="example", daemon=False
            ).start()

    @property
    def waiting(self) -> bool:
        """Whether the report may still come."""
        return self.report is None and self.error is None

    def _make(self, sample: Sample, detectors: models.ModelStore) -> None:
        from pages.components.home.example_report import make_report

        found = {name: detectors.get(name) for name in models.asking_order() if models.server_lives()}
        if not models.server_lives():
            return
        try:
            self.report = make_report(
                sample, {name: d for name, d in found.items() if not isinstance(d, GenImageError)}
            )
        except (GenImageError, ValueError) as error:
            self.error = error


@st.cache_resource(show_spinner=False)
def example(file: str, _sample: Sample) -> ExampleReport:
    """Return the report on a sample, the same one for all visitors; `file` names it."""
    return ExampleReport(_sample)
