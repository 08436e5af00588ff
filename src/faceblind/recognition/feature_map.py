"""SFace's last feature map as a face's vector: more of the face than its output of 128 numbers.

The output of a network that was trained on photographs drops what never helped with photographs.
The map before it (1024 channels at 7 x 7 places) still has it. Its channels are strongly
correlated over faces, so that a few of their principal components carry the map.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import RecogniserError
from faceblind.recognition.onnx_models import (
    ADAPTATION,
    SFACE,
    any_batch,
    default_threads,
    official_bytes,
    open_session,
)
from faceblind.recognition.onnx_recogniser import SFACE_INPUT, OnnxRecogniser

if TYPE_CHECKING:
    import onnx

NAME = "sface-map"

MAP = "bn1"
"""Name of the map in the official file: the batch normalisation before the last matrix product."""


@lru_cache(maxsize=1)
def adaptation_arrays() -> dict[str, NDArray[np.float32]]:
    """The fitted arrays by name, in float32.

    Raises
    ------
    RecogniserError
        If the file is missing or its hash differs.
    """
    content = official_bytes(ADAPTATION)
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def with_map(content: bytes, components: NDArray[np.float32]) -> bytes:
    """Rewrite SFace so that it gives its last feature map, reduced to a few channels.

    Parameters
    ----------
    content : bytes
        Serialised SFace that takes any batch, see `any_batch`.
    components : (C, 1024) float32 ndarray
        Orthonormal rows, each a mixture of channels.

    Returns
    -------
    bytes
        Serialised network; its one output is (N, C * 49), channels outermost.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    last = next(number for number, node in enumerate(graph.node) if MAP in node.output)
    del graph.node[last + 1 :]
    del graph.output[:]
    weights = np.ascontiguousarray(components, np.float32)[:, :, None, None]
    graph.initializer.append(numpy_helper.from_array(weights, "components"))
    graph.node.append(helper.make_node("Conv", [MAP, "components"], ["mixed"]))
    graph.node.append(helper.make_node("Flatten", ["mixed"], ["vector"], axis=1))
    shape = ["batch", components.shape[0] * 49]
    graph.output.append(helper.make_tensor_value_info("vector", onnx.TensorProto.FLOAT, shape))
    _drop_unused(graph)
    serialised: bytes = model.SerializeToString()
    return serialised


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Forget the weights of nodes that are gone: two thirds of the file."""
    used = {name for node in graph.node for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def load_feature_map(threads: int | None = None) -> OnnxRecogniser:
    """The recogniser ``sface-map``: SFace's last feature map in 64 components of its channels.

    Parameters
    ----------
    threads : int, optional
        Default: two, or one on a single core.

    Raises
    ------
    RecogniserError
        If a file is missing or its hash is not the expected one.
    """
    return feature_map_of(adaptation_arrays()["components"], ADAPTATION.sha256, threads)


def feature_map_of(
    components: NDArray[np.float32], digest: str, threads: int | None = None
) -> OnnxRecogniser:
    """The recogniser for given components.

    Parameters
    ----------
    components : (C, 1024) float32 ndarray
        See `with_map`.
    digest : str
        Hash of the components, for the recogniser's identity.
    threads : int, optional
        Default: two, or one on a single core.
    """
    if components.ndim != 2 or components.shape[1] != 1024:
        raise RecogniserError(f"{NAME}: expected (C, 1024) components, got {components.shape}")
    network = with_map(any_batch(official_bytes(SFACE)), components)
    session = open_session(network, threads or default_threads())
    return OnnxRecogniser(NAME, digest, session, SFACE_INPUT)
