"""The photographs table (consent above all) and the reading of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from faceblind.datasets import photographs
from faceblind.datasets.names import participant_label
from faceblind.datasets.photographs import PhotoRow, read_photos_table
from faceblind.errors import ConsentError, TableError
from faceblind.formats.photograph import read_photo

HEADER = "file\tparticipant_id\tview\tconsent\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (8, 6), "red").save(tmp_path / name)
    return tmp_path


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "photos.tsv"
    path.write_bytes(text.encode(encoding))
    return path


def test_rows_are_normalised(folder: Path) -> None:
    text = HEADER + "a.png\tsub-01\tFront\tyes\n\nb.png\t01\tn/a\t YES \n"
    assert read_photos_table(table(folder, text)) == [
        PhotoRow(folder / "a.png", "sub-01", "front", "yes"),
        PhotoRow(folder / "b.png", "sub-01", "", "yes"),
    ]


def test_byte_order_mark_line_ends_order_and_extra_columns(folder: Path) -> None:
    text = "consent\tnote\tview\tparticipant_id\tfile\r\nYes\thello\tup\tx\tc.png\r\n"
    rows = read_photos_table(table(folder, text, "utf-8-sig"))
    assert rows == [PhotoRow(folder / "c.png", "sub-x", "up", "yes")]


@pytest.mark.parametrize("answer", ["no", "", "n/a", "y", "true", "yes?", "1"])
def test_anything_but_yes_is_refused(folder: Path, answer: str) -> None:
    text = HEADER + f"a.png\t1\tfront\tyes\nb.png\t2\tfront\t{answer}\nc.png\t3\tup\t{answer}\n"
    with pytest.raises(ConsentError, match=r"consent is not yes in lines 3 and 4; remove"):
        read_photos_table(table(folder, text))


def test_consent_comes_before_everything_about_the_files(folder: Path) -> None:
    text = HEADER + "missing.png\t1\tfront\tno\n"
    with pytest.raises(ConsentError, match="line 2"):
        read_photos_table(table(folder, text))


def test_nothing_bypasses_consent() -> None:
    assert read_photos_table.__code__.co_varnames[: read_photos_table.__code__.co_argcount] == (
        "path",
    )


def test_messages_name_lines_and_no_person(folder: Path) -> None:
    text = HEADER + "a.png\tsub-Miller\tfront\tno\n"
    with pytest.raises(ConsentError) as caught:
        read_photos_table(table(folder, text))
    assert "Miller" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_long_lists_of_rows_are_cut(folder: Path) -> None:
    text = HEADER + "a.png\t1\tfront\tno\n" * 30
    with pytest.raises(ConsentError, match=r"lines 2, 3, .*, 21 and 10 more"):
        read_photos_table(table(folder, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (HEADER, "lists no photographs"),
        ("file\tparticipant_id\tview\n", "column consent missing; found file, participant_id"),
        ("file,participant_id,view,consent\n", "separate columns by tabs"),
        (HEADER.replace("view", "file"), "column view missing"),
        (HEADER.strip() + "\tfile\n", "column file appears twice"),
        (HEADER + "a.png\t1\tfront\n", "line 2: expected 4 columns"),
        (HEADER + "a.png\t\tfront\tyes\n", "line 2: participant_id is empty"),
        (HEADER + "a.png\tsub-\tfront\tyes\n", "line 2: participant_id is empty"),
        (HEADER + "a.png\t../x\tfront\tyes\n", "line 2: participant_id may hold"),
        (HEADER + "\t1\tfront\tyes\n", "line 2: no file is given"),
        (HEADER + "z.png\t1\tup\tyes\ny.png\t1\tup\tyes\n", "lines 2 and 3: the file does not"),
        (HEADER + "a.png\t1\tup\tyes\n./a.png\t2\tup\tyes\n", "line 3: the file is listed before"),
    ],
)
def test_malformed_tables_are_refused(folder: Path, text: str, message: str) -> None:
    with pytest.raises(TableError, match=message) as caught:
        read_photos_table(table(folder, text))
    assert "\n" not in str(caught.value)


def test_unreadable_tables_are_refused(folder: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        read_photos_table(folder / "none.tsv")
    with pytest.raises(TableError, match="not UTF-8"):
        read_photos_table(table(folder, HEADER, "utf-16"))
    with pytest.raises(TableError, match="cannot be read"):
        read_photos_table(folder)


@pytest.mark.parametrize(("text", "label"), [("01", "sub-01"), (" sub-A7 ", "sub-A7")])
def test_participant_label(text: str, label: str) -> None:
    assert participant_label(text) == label
    assert participant_label(label) == label


# How a camera stores an upright picture for each EXIF orientation (the inverse of the display
# operation in the EXIF standard, tag 0x0112).


def test_the_shared_study_table_is_read(shared: Path) -> None:
    rows = read_photos_table(shared / "study_sample" / "photos.tsv")
    assert len(rows) == 50
    assert len({row.participant_id for row in rows}) == 10
    assert {row.view for row in rows} == {"front", "left", "right", "up", "down"}
    assert read_photo(rows[0].file).shape == (400, 400, 3)
    assert photographs.COLUMNS == ("file", "participant_id", "view", "consent")
