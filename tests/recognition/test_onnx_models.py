"""The official files are verified; the derived networks take any batch."""

from __future__ import annotations

from dataclasses import replace

import onnx
import pytest

from faceblind.errors import RecogniserError
from faceblind.recognition.onnx_models import (
    SFACE,
    YUNET,
    any_batch,
    default_threads,
    official_bytes,
    open_session,
)


@pytest.mark.parametrize("model", [SFACE, YUNET])
def test_other_content_is_refused(model: object) -> None:
    with pytest.raises(RecogniserError, match=r"sha256 is .*expected 00000.*reinstall"):
        official_bytes(replace(model, sha256="0" * 64))  # type: ignore[type-var]


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(RecogniserError, match="missing from the installed package"):
        official_bytes(replace(SFACE, file="none.onnx"))


def test_weights_are_no_inputs_and_the_batch_is_free() -> None:
    graph = onnx.load_from_string(any_batch(official_bytes(SFACE))).graph
    assert [item.name for item in graph.input] == ["data"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert len(graph.initializer) == 174


def test_threads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session(any_batch(official_bytes(YUNET), any_size=True), 2)
    assert session.get_session_options().intra_op_num_threads == 2
    assert session.get_session_options().inter_op_num_threads == 1
    with pytest.raises(ValueError, match="at least 1"):
        open_session(b"", 0)
    monkeypatch.setenv("FACEBLIND_THREADS", "1")
    assert default_threads() == 1
    monkeypatch.setenv("FACEBLIND_THREADS", "64")
    assert default_threads() == 2
