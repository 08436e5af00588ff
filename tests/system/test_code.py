"""Cached results belong to the code that made them."""

from __future__ import annotations

from faceblind.system import code


def test_another_code_has_another_digest(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("BOUND = 1\n")
    (tmp_path / "model.npz").write_bytes(b"12")
    monkeypatch.setattr(code, "PACKAGE", tmp_path)

    def digest():
        code.code_digest.cache_clear()
        return code.code_digest()

    first = digest()
    assert digest() == first
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    assert digest() == first
    (tmp_path / "a.py").write_text("BOUND = 2\n")
    second = digest()
    assert second != first
    (tmp_path / "model.npz").write_bytes(b"123")
    assert digest() not in {first, second}
    code.code_digest.cache_clear()
