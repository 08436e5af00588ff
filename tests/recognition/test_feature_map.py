"""The feature map equals the network's own, mixed as asked, and a damaged file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from faceblind.errors import RecogniserError
from faceblind.recognition import feature_map, onnx_models
from faceblind.recognition.feature_map import (
    MAP,
    adaptation_arrays,
    feature_map_of,
    load_feature_map,
    with_map,
)
from faceblind.recognition.onnx_models import SFACE, any_batch, official_bytes, open_session


@pytest.fixture(scope="module")
def crops() -> NDArray[np.uint8]:
    """(3, 112, 112, 3) smooth patterns of different kinds."""
    y, x = np.mgrid[:112, :112] / 112
    waves = [np.sin(9 * x) + y, np.cos(7 * x * y), x**2 - np.sin(20 * y)]
    grey = np.stack([255 * (w - w.min()) / np.ptp(w) for w in waves]).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


@pytest.fixture(scope="module")
def whole_map(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(3, 1024, 49) last feature map, asked of the official network itself."""
    model = onnx.load_from_string(any_batch(official_bytes(SFACE)))
    shape = ["batch", 1024, 7, 7]
    model.graph.output.append(helper.make_tensor_value_info(MAP, TensorProto.FLOAT, shape))
    session = open_session(model.SerializeToString(), 1)
    tensor = crops.transpose(0, 3, 1, 2).astype(np.float32)
    (found,) = session.run([MAP], {session.get_inputs()[0].name: tensor})
    return np.asarray(found).reshape(3, 1024, 49)


def test_components_mix_the_channels_of_the_map(
    crops: NDArray[np.uint8], whole_map: NDArray[np.float32]
) -> None:
    rng = np.random.default_rng(0)
    components = np.linalg.qr(rng.normal(size=(1024, 5)))[0].T.astype(np.float32)
    vectors = feature_map_of(components, "f" * 64, 1).embed_aligned(crops)
    expected = np.einsum("kc,ncp->nkp", components, whole_map).reshape(3, 245)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=2e-5)


def test_the_shipped_recogniser(crops: NDArray[np.uint8], whole_map: NDArray[np.float32]) -> None:
    recogniser = load_feature_map(1)
    components = adaptation_arrays()["components"]
    assert components.shape == (64, 1024)
    np.testing.assert_allclose(components @ components.T, np.eye(64), atol=2e-3)
    expected = np.einsum("kc,ncp->nkp", components, whole_map).reshape(3, -1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    vectors = recogniser.embed_aligned(crops)
    np.testing.assert_allclose(vectors, expected, atol=2e-5)
    assert recogniser.identity.startswith("sface-map-")


def test_the_weights_after_the_map_are_left_out() -> None:
    content = any_batch(official_bytes(SFACE))
    small = with_map(content, np.eye(2, 1024, dtype=np.float32))
    assert len(small) < 0.45 * len(content)


def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = onnx_models.OfficialModel(onnx_models.ADAPTATION.file, "0" * 64)
    monkeypatch.setattr(feature_map, "ADAPTATION", wrong)
    adaptation_arrays.cache_clear()
    try:
        with pytest.raises(RecogniserError, match=r"sface_adaptation\.npz: sha256 is"):
            adaptation_arrays()
    finally:
        adaptation_arrays.cache_clear()


def test_components_of_another_shape_are_refused() -> None:
    with pytest.raises(RecogniserError, match=r"expected \(C, 1024\)"):
        feature_map_of(np.ones((4, 100), np.float32), "")


def test_the_file_is_small() -> None:
    folder = Path(onnx_models.__file__).parent.parent / "data" / "models"
    assert (folder / onnx_models.ADAPTATION.file).stat().st_size <= 8_000_000
