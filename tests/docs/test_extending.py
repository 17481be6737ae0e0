"""The diffs of docs/extending.md, applied to a copy of the project and tried."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.doc_commands import ROOT, blocks


def apply(diff: str, root: Path) -> Path:
    """Add a diff's lines: to a new file, behind its lines of context, or at the end of the file."""
    head, *lines = diff.splitlines()
    path = root / head.removeprefix("+++ ")
    added = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
    context = "".join(f"{line[1:]}\n" for line in lines if line.startswith(" "))
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if context:
        assert text.count(context) == 1, f"{path.name}: the lines around the change are not there"
        path.write_text(text.replace(context, context + added), encoding="utf-8")
    else:
        path.write_text(text + added, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with everything that the page adds."""
    root = tmp_path_factory.mktemp("extended")
    for folder in ("genimage_core", "pages", "experiments"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", root)
    (root / "assets").symlink_to(ROOT / "assets")
    diffs = [block.text for block in blocks(ROOT / "docs" / "extending.md") if block.language == "diff"]
    changed = {apply(diff, root).relative_to(root).as_posix() for diff in diffs}
    assert len(changed) == 7  # a detector and a page touch two files each, the others one
    return root


def run(root: Path, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_degradation_has_text_form_slider_and_words(extended: Path) -> None:
    code = """
import numpy as np
from genimage_core.images.degradations import degradation_types, parse
step = parse("posterize:2+jpeg:90").steps[0]
assert str(step) == "posterize:2" and step.words == "posterize 2"
assert step(np.full((4, 4, 3), 255, np.uint8)).max() == 192
assert list(degradation_types())[-3:] == ["posterize", "jpeg", "thumb"]
"""
    run(extended, code)


def test_a_metric_is_in_the_summary_and_on_the_page(extended: Path) -> None:
    code = """
import numpy as np
from genimage_core.metrics.registry import Scored, figures, metrics
from genimage_core.results.measured import METRICS
found = figures(Scored(np.array([1, 0, 0]), np.array([0.01, 0.2, 0.3])))
assert abs(found["sure_and_wrong"].value - 1 / 3) < 1e-9
assert METRICS["sure_and_wrong"] == "Surely wrong"
"""
    run(extended, code)


def test_a_kind_of_evidence_is_drawn(extended: Path) -> None:
    code = """
import numpy as np
from genimage_core.explain import explain, list_kinds
assert list_kinds()[-1] == "brightness"
found = explain(np.full((4, 4, 3), 9, np.uint8), {}, "brightness")
assert found.images["grey"].mean() == found.data["mean"] == 9
"""
    run(extended, code)


def test_a_detector_is_listed_and_built(extended: Path, tmp_path: Path) -> None:
    code = f"""
import os
os.environ["GENIMAGE_CACHE"] = {str(tmp_path)!r}
import torch
from genimage_core.detectors import build_network, detector_info, list_detectors
assert "mine" in list_detectors() and detector_info("mine").card_path.is_file()
assert build_network("mine")(torch.rand(2, 3, 128, 128)).shape == (2,)
"""
    run(extended, code)


def test_a_page_is_routed_and_linked_from_home(extended: Path) -> None:
    code = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=120).run()
assert not app.exception, app.exception
assert "**Mine**" in [link.proto.label for link in app.get("page_link")]
app.switch_page("pages/mine.py").run()
assert not app.exception and [title.value for title in app.title] == ["Mine"]
print("ok")
"""
    assert re.search("^ok$", run(extended, code), re.MULTILINE)
