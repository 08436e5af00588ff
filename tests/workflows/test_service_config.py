"""The permission for an upload: what is read, what is refused, and what is missing."""

from __future__ import annotations

from datetime import date

import pytest

from faceblind.errors import ServiceError
from faceblind.workflows.service_config import ServiceConfig, read_service_config

TODAY = date(2026, 3, 1)
WHOLE = """
service = "azure"
permitted_by = "Ethics committee, 12/2025"
permitted_until = 2026-03-01
purpose = "study of recognisability"
requests_per_second = 5
price_per_1000 = 1.5
currency = "EUR"
"""


def read(folder, text):
    path = folder / "service.toml"
    path.write_text(text, encoding="utf-8")
    return read_service_config(path)


def test_a_whole_file_permits_to_the_last_day(tmp_path):
    found = read(tmp_path, WHOLE)
    assert found == ServiceConfig(
        "azure", "Ethics committee, 12/2025", TODAY, "study of recognisability", 5, 1.5, "EUR"
    )
    assert found.missing("azure", TODAY) == []
    assert found.missing("azure", date(2026, 3, 2)) == [
        "a permission that has not ended in --service-config"
    ]
    assert found.missing("compreface", TODAY) == ['service = "compreface" in --service-config']


def test_an_empty_file_permits_nothing(tmp_path):
    assert read(tmp_path, "").missing("azure", TODAY) == [
        "permitted_by in --service-config",
        "purpose in --service-config",
        'service = "azure" in --service-config',
        "permitted_until in --service-config",
    ]
    blank = read(tmp_path, WHOLE.replace("Ethics committee, 12/2025", "  "))
    assert blank.missing("azure", TODAY) == ["permitted_by in --service-config"]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("2026-03-01", '"2026-03-01"', "permitted_until"),
        ("2026-03-01", "2026-03-01T10:00:00", "permitted_until"),
        ('"azure"', "3", "service"),
        ("= 5", "= 0", "requests_per_second"),
        ("= 5", "= inf", "requests_per_second"),
        ("= 5", "= true", "requests_per_second"),
        ("= 1.5", "= -0.1", "price_per_1000"),
        ("= 1.5", "= nan", "price_per_1000"),
    ],
)
def test_values_of_another_kind_are_refused(tmp_path, old, new, name):
    with pytest.raises(ServiceError, match=f"{name} has a value of the wrong kind"):
        read(tmp_path, WHOLE.replace(old, new))


def test_no_price_is_a_price(tmp_path):
    assert read(tmp_path, "price_per_1000 = 0").price_per_1000 == 0


def test_strange_keys_and_what_is_no_toml_are_refused(tmp_path):
    with pytest.raises(ServiceError, match="unknown key 'key'; use currency, permitted_by"):
        read(tmp_path, 'key = "secret"')
    with pytest.raises(ServiceError, match=r"service\.toml: cannot be read as TOML"):
        read(tmp_path, "service =")
    with pytest.raises(ServiceError, match="cannot be read as TOML"):
        read_service_config(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b'purpose = "\xe9"')
    with pytest.raises(ServiceError, match="cannot be read as TOML"):
        read_service_config(tmp_path / "latin.toml")
