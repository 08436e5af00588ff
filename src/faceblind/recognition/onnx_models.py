"""Open ONNX networks: the two official files that ship here, and any file of a user."""

from __future__ import annotations

import hashlib
import importlib.resources
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from faceblind.errors import RecogniserError
from faceblind.system.threads import thread_budget

if TYPE_CHECKING:
    import onnx
    import onnxruntime


@dataclass(frozen=True)
class OfficialModel:
    """A file of weights that ships inside the package.

    Parameters
    ----------
    file : str
        Name in ``faceblind/data/models``.
    sha256 : str
        Hash of its content: the one that the OpenCV Zoo publishes, or ours for what we fitted.
    """

    file: str
    sha256: str


YUNET = OfficialModel(
    "face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)
SFACE = OfficialModel(
    "face_recognition_sface_2021dec.onnx",
    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
)
ADAPTATION = OfficialModel(
    "sface_adaptation.npz", "90b6fd06a9a8a40160f783e51096bd91cadf38b38d34a0b556342d622e678c66"
)
"""Arrays that `tools/fit_adaptation.py` fits: what `faceblind.recognition.feature_map` makes of
SFace's channels and what `faceblind.identification.adaptation` takes away."""


def default_threads() -> int:
    """Threads of one network call: two, or one where this process may use only one.

    More hardly help with crops of 112 pixels and would fight with the processes that work on
    other scans.
    """
    return min(2, thread_budget())


def official_bytes(model: OfficialModel) -> bytes:
    """Content of a file that ships here, checked against its hash.

    Raises
    ------
    RecogniserError
        If the file is missing or its hash differs.
    """
    place = importlib.resources.files("faceblind").joinpath("data", "models", model.file)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise RecogniserError(
            f"{model.file}: missing from the installed package; reinstall faceblind"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        raise RecogniserError(
            f"{model.file}: sha256 is {found[:12]}..., expected {model.sha256[:12]}...; the file "
            "is damaged or was replaced; reinstall faceblind"
        )
    return content


def any_batch(content: bytes, *, any_size: bool = False) -> bytes:
    """Rewrite a network of batch size one so that it takes any batch, with equal results.

    The official SFace file also lists its weights as graph inputs, which a caller could
    override, so ONNX Runtime cannot fold the batch normalisations into the convolutions. They
    become plain constants here. Half a second per process, which is why no copy is kept on disk:
    a cached copy could be tampered with after the hash check.

    Parameters
    ----------
    content : bytes
        Serialised ONNX model with one true input in NCHW layout.
    any_size : bool
        Let height and width vary too (fully convolutional networks only).

    Returns
    -------
    bytes
        Serialised ONNX model.
    """
    import onnx

    model = onnx.load_from_string(content)
    graph = model.graph
    constants = {item.name for item in graph.initializer}
    inputs = [item for item in graph.input if item.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.value_info[:]
    for item in [*graph.input, *graph.output]:
        dims = item.type.tensor_type.shape.dim
        dims[0].dim_param = "batch"
        if any_size:
            free = range(2, 4) if item.name == inputs[0].name else range(1, 2)
            for axis in free:
                dims[axis].dim_param = f"{item.name}_{axis}"
    _keep_batch_in_reshapes(graph)
    serialised: bytes = model.SerializeToString()
    return serialised


def _keep_batch_in_reshapes(graph: onnx.GraphProto) -> None:
    """Replace a leading constant 1 in each Reshape target by 0, ONNX for "as in the input"."""
    from onnx import numpy_helper

    targets = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for item in graph.initializer:
        if item.name in targets:
            shape = np.array(numpy_helper.to_array(item))
            if shape[0] == 1:
                shape[0] = 0
                item.CopyFrom(numpy_helper.from_array(shape, item.name))


def open_session(model: bytes | str, threads: int) -> onnxruntime.InferenceSession:
    """Start ONNX Runtime on the processor with a bounded number of threads.

    Parameters
    ----------
    model : bytes or str
        Serialised model or path of a file.
    threads : int
        Threads inside one call.

    Raises
    ------
    ValueError
        If `threads` is below one.
    """
    import onnxruntime

    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    # A tool that looks at faces must not report its use anywhere (Windows builds would).
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle worker threads would otherwise spin and slow down the other processes of a run.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
