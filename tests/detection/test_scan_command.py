"""`handover scan` and `handover redact`: exact JSON, places in code points, nothing overwritten, nothing half written."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from handover.cli.scan import redact, scan
from handover.cli.scan_progress import shown
from handover.errors import HandoverError, InvalidInputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.csv").write_bytes("姓名,备注\n张三丰,好\n李小四,张三丰电话13812345678\n".encode("gb18030"))
    (source / "lie.csv").write_bytes(b"%PDF-1.7")
    return source


def test_scan_prints_the_documented_json_and_says_what_is_blocked(folder: Path) -> None:
    result = CliRunner().invoke(scan, ["--json", str(folder)])
    files = json.loads(result.stdout)["files"]
    assert result.exit_code == 3
    files[0].pop("limits", None)  # said only where the model of names is not installed
    assert files[0] == {
        "path": str(folder / "a.csv"),
        "format": "csv",
        "records": 2,
        "persons": 2,
        "fields": [
            {"name": "姓名", "level": "L3", "kinds": {"person_name": 2}},
            {"name": "备注", "level": "L3", "kinds": {"mobile": 1, "person_name": 1}},
        ],
        "blocked": None,
    }
    assert "PDF" in files[1]["blocked"]


def test_spans_count_records_from_zero_and_code_points(folder: Path) -> None:
    result = CliRunner().invoke(scan, ["--spans", str(folder / "a.csv")])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    mobile = next(row for row in rows if row["kind"] == "mobile")
    assert (mobile["record"], mobile["field"], mobile["start"], mobile["end"]) == (1, "备注", 5, 16)
    assert set(mobile) == {"path", "record", "field", "kind", "start", "end", "confidence"}


def test_redact_writes_clean_files_alone_and_never_over_another(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(redact, [str(folder), str(out), "--check"])
    assert result.exit_code == 3
    assert [path.name for path in out.iterdir()] == ["a.csv"]
    text = (out / "a.csv").read_text("utf-8-sig")
    assert not any(value in text for value in ("张三丰", "李小四", "13812345678"))
    again = CliRunner().invoke(redact, [str(folder / "a.csv"), str(out / "a.csv")])
    assert isinstance(again.exception, HandoverError)
    assert (out / "a.csv").read_text("utf-8-sig") == text


def test_output_that_fails_the_second_scan_is_not_written(folder: Path, tmp_path: Path) -> None:
    card = folder / "card.txt"
    card.write_text("卡号6222021234567890128\n")
    policy = tmp_path / "keep.toml"
    policy.write_text('other = "keep"\n')
    result = CliRunner().invoke(redact, [str(card), str(tmp_path / "o.txt"), "--policy", str(policy), "--check"])
    assert result.exit_code == 6
    assert "bank_card 1" in result.stderr
    assert not list(tmp_path.glob("*o.txt"))
    assert not list(tmp_path.glob(".handover-*"))


def test_one_key_file_gives_one_token_in_every_run(folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    for name in ("1.csv", "2.csv"):
        CliRunner().invoke(redact, [str(folder / "a.csv"), str(tmp_path / name), "--key-file", str(key)])
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def _archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return path


def test_files_within_an_archive_are_shown_each_under_its_own_path(tmp_path: Path) -> None:
    table = "姓名,备注\n张三丰,好\n李小四,张三丰电话13812345678\n".encode()
    path = _archive(tmp_path / "a.zip", {"in/a.csv": table, "b.exe": b"MZ\x90", "c.txt": "电话13812345678\n".encode()})
    result = CliRunner().invoke(scan, ["--json", str(path)])
    files = {entry["path"]: entry for entry in json.loads(result.stdout)["files"]}
    assert result.exit_code == 3
    assert list(files) == [str(path), f"{path}!in/a.csv", f"{path}!b.exe", f"{path}!c.txt"]
    assert files[str(path)]["blocked"]
    assert (files[str(path)]["records"], files[str(path)]["format"]) == (3, "zip")
    assert files[f"{path}!b.exe"]["blocked"]
    assert files[f"{path}!in/a.csv"] == {
        "path": f"{path}!in/a.csv",
        "format": "csv",
        "records": 2,
        "persons": 2,
        "fields": [
            {"name": "姓名", "level": "L3", "kinds": {"person_name": 2}},
            {"name": "备注", "level": "L3", "kinds": {"mobile": 1, "person_name": 1}},
        ],
        "blocked": None,
    }
    assert f"{path}!b.exe" in result.stderr
    spans = CliRunner().invoke(scan, ["--spans", str(path)])
    rows = [json.loads(line) for line in spans.stdout.splitlines()]
    assert {"path": f"{path}!c.txt", "record": 0, "field": "text", "kind": "mobile", "start": 2, "end": 13} in [
        {key: row[key] for key in row if key != "confidence"} for row in rows
    ]
    assert set(rows[0]) == {"path", "record", "field", "kind", "start", "end", "confidence"}


def test_archive_is_redacted_and_checked_as_one(tmp_path: Path) -> None:
    table = "姓名,备注\n张三丰,好\n李小四,张三丰电话13812345678\n".encode()
    path = _archive(tmp_path / "a.zip", {"张三丰.csv": table, "c.txt": "电话13812345678\n".encode()})
    result = CliRunner().invoke(redact, [str(path), str(tmp_path / "o.zip"), "--check"])
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "o.zip") as out:
        first, second = out.namelist()
        assert first.startswith("person_name-")
        assert first.endswith(".csv")
        # One person, one token: in the name of a file, in a column, and in a text.
        assert out.read(first).decode().count(first.removesuffix(".csv")) == 2
        assert "13812345678" not in (out.read(first) + out.read(second)).decode()


def test_a_name_that_tells_of_a_person_is_not_written(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "客户13812345678.txt").write_text("好\n")
    (source / "notes.txt").write_text("好\n")
    result = CliRunner().invoke(redact, [str(source), str(tmp_path / "out")])
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["file-2.txt", "notes.txt"]
    assert "file 2: its name holds personal data" in result.stderr


def test_progress_is_shown_on_a_terminal_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with shown(tmp_path / "a.csv") as progress:
        assert progress is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with shown(tmp_path / "a.csv") as progress:
        assert progress is not None
        progress({"stage": "survey", "records": 4096})
    assert "a.csv: 4,096 records read" in capsys.readouterr().err


def test_a_pipe_is_refused_since_it_can_not_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = CliRunner().invoke(scan, [str(tmp_path / "pipe")])
    assert isinstance(result.exception, InvalidInputError)
    assert "read twice" in result.exception.message
