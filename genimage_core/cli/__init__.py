"""The command line: the same calls as the pages."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import typer

from genimage_core.cli import audit, build, calibrate, detect, evaluate, measure, report, runtime, train, wild
from genimage_core.utils.errors import GenImageError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
dev = typer.Typer(no_args_is_help=True, help="What makes the bundled weights, calibration and figures.")


@app.callback()
def _root() -> None:
    """GenImage Lab: AI-image detectors, their degradations and their benchmark."""


_USERS: tuple[Callable[..., None], ...] = (
    detect.detect, detect.degrade, detect.detectors, detect.tables, evaluate.evaluate, evaluate.report,
    audit.audit, build.build, train.train, measure.measure, runtime.prepare, runtime.time,
)  # fmt: skip
_MAINTAINERS: tuple[Callable[..., None], ...] = (
    train.teach, train.pack, train.fit_head, wild.fit_by_source, train.leave_one_out,
    wild.in_the_wild, measure.score_head, train.fit_attribution,
    calibrate.calibrate, calibrate.fit_image_type, calibrate.warning_rates, calibrate.stability,
    runtime.choose_precision, evaluate.export_scores, evaluate.export_table, report.cards,
)  # fmt: skip
for _command in _USERS:
    app.command()(_command)
for _command in _MAINTAINERS:
    dev.command()(_command)
app.add_typer(dev, name="dev")


def main() -> None:
    """Run the command line; expected errors end with exit code 1 and one line on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what the terminal can't show
    try:
        app()
    except GenImageError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
