"""What a file says of itself, as the page, the command line and the downloads show it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genimage_core.provenance import Provenance, Source
from pages.components.detect.provenance import OUTRANKS, TITLE, origin_html
from tests.app.test_detect_degrade import app, assert_clean, home, html, instant_detectors, upload  # noqa: F401
from tests.cli.test_detect import quick, run  # noqa: F401  (a fixture)
from tests.helpers.image_files import encoded, picture
from tests.helpers.provenance_files import A1111, exif, png


def test_the_page_shows_a_generators_text_and_that_it_outranks(app: AppTest) -> None:  # noqa: F811
    upload(app, ("made.png", png(parameters=A1111)))
    assert_clean(app)
    shown = html(app)
    assert TITLE in shown
    assert OUTRANKS in shown
    assert "Stable Diffusion web UI: generation parameters, model dreamer_v8" in shown


def test_the_page_says_that_missing_metadata_prove_nothing(app: AppTest) -> None:  # noqa: F811
    upload(app, ("plain.png", png()))
    assert_clean(app)
    assert "That proves nothing" in html(app)
    assert OUTRANKS not in html(app)


def test_words_from_the_file_are_escaped(app: AppTest) -> None:  # noqa: F811
    nasty = "<img src=x onerror=alert(1)>"
    upload(app, ("nasty.jpg", encoded(picture(), "JPEG", exif=exif(software=nasty))))
    assert_clean(app)
    assert "<img" not in html(app)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html(app)


def test_many_sources_are_folded_away() -> None:
    sources = [Source(kind="exif", claim=f"claim {n}", value="v") for n in range(7)]
    shown = origin_html(Provenance(sources=sources))
    assert "2 more" in shown
    assert all(f"claim {n}" in shown for n in range(7))


def test_downloads_carry_it(app: AppTest) -> None:  # noqa: F811
    from pages.components.detect import downloads

    upload(app, ("made.png", png(parameters=A1111)), ("plain.png", png()))
    chosen = app.session_state["pictures"]
    made, plain = json.loads(downloads.as_json(chosen, "tiles"))
    assert made["provenance"]["ai"] is True
    assert "The file itself says" in made["notes"][-1]
    assert plain["provenance"]["ai"] is None
    rows = list(csv.DictReader(io.StringIO(downloads.as_csv(chosen, "tiles"))))
    assert [row["provenance_ai"] for row in rows] == ["True", ""]
    assert "dreamer_v8" in rows[0]["provenance_sources"]


def test_the_command_line_carries_it(
    quick: None,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "made.png").write_bytes(png(parameters=A1111))
    (tmp_path / "plain.png").write_bytes(png())
    photo = encoded(picture(), "JPEG", exif=exif(make="Canon", model="EOS"))
    (tmp_path / "photo.jpg").write_bytes(photo)
    assert run("detect", str(tmp_path), "--json") == 0
    entries = {Path(entry["path"]).stem: entry for entry in json.loads(capsys.readouterr().out)}
    assert {name: entry["provenance"]["ai"] for name, entry in entries.items()} == {
        "made": True, "plain": None, "photo": None,
    }  # fmt: skip
    assert "outranks" in entries["made"]["notes"][-1]
    assert not [
        note for name in ("plain", "photo") for note in entries[name]["notes"] if "itself says" in note
    ]
    assert entries["made"]["verdict"] in ("fake", "real", "unsure")
    assert run("detect", str(tmp_path)) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "origin:" in line]
    assert len(lines) == 2
    assert any("made by Stable Diffusion web UI" in line for line in lines)
    assert any("camera: Canon EOS" in line for line in lines)
