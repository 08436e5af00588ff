"""What the participants table says."""

from __future__ import annotations

import pytest

from faceblind.datasets.participants import Participant, read_participants
from faceblind.errors import TableError


def test_participants_table(tmp_path):
    table = tmp_path / "participants.tsv"
    table.write_text(
        "participant_id\tsex\tage\tgroup\n"
        "sub-01\tF\t34.5\tx\n"
        "02\tmale\t89+\ty\n"
        "sub-03\tn/a\tn/a\tz\n"
        "sub-04\n",
        encoding="utf-8-sig",
    )
    assert read_participants(table) == {
        "sub-01": Participant(34.5, "F"),
        "sub-02": Participant(89.0, "M"),
        "sub-03": Participant(None, None),
        "sub-04": Participant(None, None),
    }


def test_groups_are_labels_of_any_kind(tmp_path):
    table = tmp_path / "participants.tsv"
    table.write_text(
        "participant_id\tancestry\tcontrast\tfield_of_view\n"
        "sub-01\tEast  Asian\tT1w\tn/a\n"
        "sub-02\teast asian\t\tCut at the chin\n"
    )
    assert read_participants(table) == {
        "sub-01": Participant(None, None, "east asian", "t1w", None),
        "sub-02": Participant(None, None, "east asian", None, "cut at the chin"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column participant_id"),
        ("id,age\n1,2\n", "no column participant_id"),
        ("participant_id\tage\nsub-1\told\n", "line 2: age 'old'"),
        ("participant_id\tage\nsub-1\t-4\n", "line 2: age"),
        ("participant_id\tage\nsub-1\t400\n", "line 2: age"),
        ("participant_id\tsex\nsub-1\tx\n", "line 2: sex 'x'"),
        ("participant_id\nsub-1\n1\n", "line 3: .* appears twice"),
        ("participant_id\tage\n\t3\n", "line 2: no participant_id"),
        ("participant_id\na/b\n", "line 2: participant_id may hold letters"),
    ],
)
def test_malformed_tables_are_refused(tmp_path, text, message):
    table = tmp_path / "participants.tsv"
    table.write_text(text)
    with pytest.raises(TableError, match=message):
        read_participants(table)


def test_unreadable_tables_are_refused(tmp_path):
    with pytest.raises(TableError, match="no such file"):
        read_participants(tmp_path / "absent.tsv")
    (tmp_path / "bad.tsv").write_bytes(b"participant_id\n\xff\xfe\x00")
    with pytest.raises(TableError, match="UTF-8"):
        read_participants(tmp_path / "bad.tsv")
