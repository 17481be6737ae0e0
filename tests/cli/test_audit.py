"""The command `audit`: JSON, tables, wrong input, and what an interruption leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from genimage_core.datasets.audit import run as audit_module
from genimage_core.datasets.audit.file_facts import read_bytes
from genimage_core.datasets.audit.result import Audit
from genimage_core.datasets.scan import Record
from tests.cli.test_detect import run
from tests.helpers.audit_sets import biased_set, copies_set


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return biased_set(tmp_path_factory.mktemp("biased"))


def test_command_prints_json_and_writes_the_same(
    biased: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "audit.json"
    assert (
        run("audit", str(biased), "--json", "--data-protocol", "raw", "--limit", "12", "--out", str(out)) == 0
    )
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert Audit.model_validate(answer) == Audit.model_validate_json(out.read_text())
    assert {probe["protocol"] for probe in answer["probes"]} == {"raw"}
    assert answer["manifest"]["command"].startswith("python -m genimage_core audit DIR --json")
    assert "reading: 24 / 24" in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


def test_command_prints_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copies_set(tmp_path)
    (tmp_path / "g" / "val" / "ai" / "empty.png").touch()
    assert run("audit", str(tmp_path), "--split", "all") == 0
    printed = capsys.readouterr().out
    assert "1 cannot be read" in printed
    assert "- g/val/ai/empty.png: The file is empty. (EmptyFileError)" in printed
    assert "Both labels:\n\n- g/val/ai/b.png = h/val/nature/b_again.jpg" in printed
    assert "Both splits:\n\n- g/train/ai/a.png = g/val/ai/a_smaller.jpg" in printed


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["audit", "no/such/folder"], 1),
        (["audit", "{biased}", "--out", "no/such/folder/audit.json"], 1),
        (["audit", "{biased}", "--split", "test"], 2),
        (["audit", "{biased}", "--data-protocol", "paper"], 2),
        (["audit"], 2),
    ],
)
def test_command_refuses_wrong_input(
    biased: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*[word.replace("{biased}", str(biased)) for word in arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err


def test_ctrl_c_leaves_no_file(
    biased: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: Iterator[int] = iter(range(10))

    def interrupted(record: Record) -> bytes:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return read_bytes(record)

    monkeypatch.setattr(audit_module, "read_bytes", interrupted)
    assert run("audit", str(biased), "--out", str(tmp_path / "audit.json")) != 0
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""
