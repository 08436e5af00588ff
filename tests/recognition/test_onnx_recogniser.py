"""SFace equals OpenCV's; a user's ONNX file is checked before it is trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from faceblind.errors import RecogniserError
from faceblind.recognition.crops import ARCFACE_POINTS, align_faces
from faceblind.recognition.onnx_recogniser import (
    OnnxRecogniser,
    Preprocessing,
    load_arcface,
    load_sface,
    read_preprocessing,
    unit_rows,
)


@pytest.fixture(scope="module")
def sface() -> OnnxRecogniser:
    return load_sface()


@pytest.fixture(scope="module")
def crops(portrait: NDArray[np.uint8], opencv_rows: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(12, 112, 112, 3) crops: jittered faces and noise."""
    rng = np.random.default_rng(0)
    marks = opencv_rows[0, 4:14].reshape(5, 2) + rng.normal(0, 3, (10, 5, 2))
    faces = align_faces(np.stack([portrait] * 10), marks, ARCFACE_POINTS, 112)
    noise = rng.integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    return np.concatenate([faces, noise])


def test_embeddings_equal_opencv_to_1e_5(
    sface: OnnxRecogniser, crops: NDArray[np.uint8], opencv_sface: Any
) -> None:
    oracle = np.concatenate(
        [opencv_sface.feature(np.ascontiguousarray(crop[..., ::-1])).copy() for crop in crops]
    )
    oracle /= np.linalg.norm(oracle, axis=1, keepdims=True)
    ours = sface.embed_aligned(crops)
    assert ours.dtype == np.float32
    assert ours.shape == (12, 128)
    np.testing.assert_allclose(ours, oracle, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)


def test_alignment_and_embedding_together(
    sface: OnnxRecogniser,
    portrait: NDArray[np.uint8],
    opencv_rows: NDArray[np.float32],
    opencv_sface: Any,
) -> None:
    crop = opencv_sface.alignCrop(portrait[..., ::-1].copy(), opencv_rows[:1])
    oracle = opencv_sface.feature(crop)[0]
    ours = sface.embed(portrait[None], opencv_rows[:1, 4:14].reshape(1, 5, 2))[0]
    assert ours @ oracle / np.linalg.norm(oracle) > 0.9999


def test_vectors_do_not_depend_on_the_batch(
    sface: OnnxRecogniser, crops: NDArray[np.uint8]
) -> None:
    whole = sface.embed_aligned(crops)
    single = np.concatenate([sface.embed_aligned(crop[None]) for crop in crops])
    np.testing.assert_allclose(whole, single, atol=1e-5)
    np.testing.assert_array_equal(whole, sface.embed_aligned(crops))
    np.testing.assert_allclose(sface.embed_aligned(crops[::-1])[::-1], whole, atol=1e-5)


def test_nothing_in_gives_nothing_out(sface: OnnxRecogniser) -> None:
    empty = sface.embed(np.empty((0, 224, 224), dtype=np.uint8), np.empty((0, 5, 2)))
    assert empty.shape == (0, 128)


def test_alike_faces_are_near(sface: OnnxRecogniser, crops: NDArray[np.uint8]) -> None:
    vectors = sface.embed_aligned(crops)
    cosines = vectors[:10] @ vectors[:10].T
    assert cosines.min() > 0.7
    assert (vectors[:10] @ vectors[10:].T).max() < 0.3


def test_vectors_without_length_are_refused() -> None:
    np.testing.assert_allclose(unit_rows(np.array([[3.0, 4.0]]), "x"), [[0.6, 0.8]])
    for bad in (0.0, np.nan, np.inf):
        with pytest.raises(RecogniserError, match="x: the network returned"):
            unit_rows(np.array([[1.0, 0.0], [bad, 0.0]]), "x")


def write_network(
    path: Path,
    shape: tuple[int | str, ...] = ("n", 3, 112, 112),
    pooled: bool = True,
    inputs: int = 1,
) -> Path:
    """A network that averages every channel: its output is known exactly."""
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    nodes = []
    if pooled:
        nodes.append(helper.make_node("ReduceMean", ["x"], ["y"], axes=axes, keepdims=0))
        out: tuple[int | str, ...] = (shape[0], 3)
    else:
        nodes.append(helper.make_node("Relu", ["x"], ["y"]))
        out = shape
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xz"[:inputs]],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(np.zeros(1, np.float32), "unused")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


def plain(size: int = 112) -> NDArray[np.uint8]:
    """Three pictures of one colour, (200, 100, 50)."""
    return np.tile(np.array([200, 100, 50], dtype=np.uint8), (3, size, size, 1))


MARKS = np.tile(ARCFACE_POINTS, (3, 1, 1))


def unit(values: list[float]) -> NDArray[np.float64]:
    return np.array(values) / np.linalg.norm(values)


@pytest.mark.parametrize("batch", ["n", 1])
def test_a_users_network_with_defaults(tmp_path: Path, batch: int | str) -> None:
    recogniser = load_arcface(write_network(tmp_path / "mine.onnx", (batch, 3, 112, 112)))
    assert recogniser.name == "mine"
    assert recogniser.identity.startswith("mine-")
    expected = unit([(c - 127.5) / 127.5 for c in (200, 100, 50)])
    np.testing.assert_allclose(recogniser.embed(plain(), MARKS), [expected] * 3, atol=0.02)
    exact = recogniser.embed_aligned(plain())
    np.testing.assert_allclose(exact, [expected] * 3, atol=1e-5)


def test_a_users_network_with_its_toml(tmp_path: Path) -> None:
    path = write_network(tmp_path / "mine.onnx", ("n", 64, 64, 3))
    text = 'colour = "bgr"\nmean = [10, 20, 30.5]\nstd = 2\nsize = 64\nlayout = "nhwc"\n'
    plain_identity = load_identity(tmp_path / "other.onnx")
    path.with_suffix(".toml").write_text(text, encoding="utf-8")
    recogniser = load_arcface(path)
    expected = unit([40, 80, 169.5])
    np.testing.assert_allclose(recogniser.embed_aligned(plain(64)), [expected] * 3, atol=1e-5)
    assert recogniser.embed(plain(), MARKS).shape == (3, 3)
    assert recogniser.identity.split("-")[1] != plain_identity.split("-")[1]


def load_identity(path: Path) -> str:
    return load_arcface(write_network(path)).identity


def test_the_preprocessing_is_part_of_the_identity(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    before = load_identity(path)
    path.with_suffix(".toml").write_text('colour = "bgr"\n', encoding="utf-8")
    assert load_identity(path) != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = ", "not a readable TOML file"),
        ('colour = "grey"', 'colour must be "rgb" or "bgr", got \'grey\''),
        ('layout = "chw"', 'layout must be "nchw" or "nhwc"'),
        ('color = "rgb"', "unknown key 'color'"),
        ("size = 7", "size must be 16 to 1024"),
        ("size = 112.0", "size must be 16 to 1024"),
        ("mean = [1, 2]", "mean must be a number or three"),
        ('mean = "x"', "mean must be a number or three"),
        ("mean = nan", "mean must be a number or three"),
        ("std = 0", "std must be a positive number or three"),
        ("std = [1, 1, -1]", "std must be a positive number or three"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecogniserError, match=message):
        read_preprocessing(path)


def test_empty_settings_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("", encoding="utf-8")
    assert read_preprocessing(tmp_path / "mine.toml") == Preprocessing()


def test_unsuitable_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    with pytest.raises(RecogniserError, match="no such file"):
        load_arcface(path)
    path.write_bytes(b"this is no network")
    with pytest.raises(RecogniserError, match="not an ONNX file") as caught:
        load_arcface(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(RecogniserError, match=r"\['N', 3, 112, 112\], got \['n', 3, 64, 64\]"):
        load_arcface(write_network(path, ("n", 3, 64, 64)))
    with pytest.raises(RecogniserError, match="fixed batch of 4"):
        load_arcface(write_network(path, (4, 3, 112, 112)))
    with pytest.raises(RecogniserError, match="one vector per crop"):
        load_arcface(write_network(path, pooled=False))
    with pytest.raises(RecogniserError, match="expected one input, got 2"):
        load_arcface(write_network(path, inputs=2))
