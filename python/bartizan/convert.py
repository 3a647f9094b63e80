"""Models of PyTorch and scikit-learn as ONNX files.

What is verified is the file, so the file must be the model: nothing is trained, rounded or shortened here beyond what
follows.

* A PyTorch module is exported as it is in evaluation mode, for a batch of one. Its exporter may fold a batch
  normalisation into the weights of the layer before it, which rounds those weights once, in the precision of the
  module; the slope of a LeakyReLU is binary32 in the format. A module whose course depends on its input is refused,
  and so is one whose file gives something else than the module at a point that the exporter has not seen.
* Weights of scikit-learn are binary64 and stay so. The graph ends before the softmax, at the numbers whose largest is
  the class. A classifier of two classes has one such number z, and gives the second class where z > 0: the outputs are
  then 0 and z.

The same model gives the same bytes, whoever converts it where: no paths, no traces of the code that made it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import BytesIO, StringIO
from typing import Any, NamedTuple

from ._errors import InputError

#: The operator set of the files, which both exporters know and the reader accepts.
OPSET = 18

#: The operator set of the classical part of a scikit-learn graph; that part is cut off.
CLASSICAL_OPSET = 3

#: The first PyTorch whose exporter of programs is the default one; those before export what they record in one run.
EXPORTS_PROGRAMS = (2, 9)

#: Activations of scikit-learn that are piecewise linear.
PIECEWISE_LINEAR = ("relu", "identity")

#: Largest difference between a module and its file, relative to the largest output: far above what the order of sums
#: changes in binary32, far below what a part that was left out does.
SAME = 1e-3

#: Most characters of another library's message that are repeated.
LONGEST_MESSAGE = 300


class Converted(NamedTuple):
    """A model as an ONNX file."""

    model: bytes
    """The file."""
    class_names: tuple[str, ...] | None
    """Names of the classes in the order of the outputs, where the model has them."""
    name: str
    """What kind of model it was."""


def onnx_bytes(model: Any, example: Any = None) -> Converted:
    """Converts a PyTorch ``nn.Module`` or a scikit-learn ``MLPClassifier`` (or a pipeline that ends in one).

    ``example`` is an array or a tensor with one batch of inputs, which PyTorch needs in order to know their shape; the
    numbers in it do not matter. The model that is given is not changed. Raises :class:`bartizan.InputError` for a model
    that cannot be converted, and :class:`ImportError` where a package is missing that converts it.
    """
    if _is_of(model, "torch", "Module"):
        return _from_torch(model, example)
    if _is_of(model, "sklearn", "BaseEstimator"):
        return _from_sklearn(model)
    expected = "a path, the bytes of an ONNX file, a torch.nn.Module or a scikit-learn MLPClassifier"
    raise InputError(f"model: expected {expected}, found {type(model).__name__}")


def _is_of(model: Any, package: str, name: str) -> bool:
    """Whether a model's type comes from a class of a package, without importing that."""
    return any(kind.__name__ == name and kind.__module__.split(".")[0] == package for kind in type(model).__mro__)


def _require(packages: Sequence[str], extra: str) -> None:
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise ImportError(
            f"{' and '.join(missing)} not installed, which converting the model needs: pip install 'bartizan[{extra}]'"
        )


def _message(error: BaseException) -> str:
    """The first line of what went wrong at first."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:LONGEST_MESSAGE]}" if lines else type(error).__name__


def _from_torch(model: Any, example: Any) -> Converted:
    _require(("onnx", "onnxscript"), "torch")
    model = getattr(model, "_orig_mod", model)  # what torch.compile was given
    name = type(model).__name__
    copy = _evaluated(model)
    batch = _batch(example, copy)
    try:
        with _silence():
            proto = _program(copy, batch) if _exports_programs() else _recording(copy, batch)
    except Exception as error:
        raise InputError(
            f"model: expected a module that torch.onnx.export converts, found {name}: {_message(error)}"
        ) from error
    _compare(copy, proto, batch)
    return Converted(_without_provenance(proto).SerializeToString(deterministic=True), None, name)


def _evaluated(model: Any) -> Any:
    """A copy of a module in evaluation mode, in main memory."""
    from copy import deepcopy

    try:
        return deepcopy(model).eval().cpu()
    except RuntimeError as error:
        raise InputError(
            f"model: expected a module that can be copied, found {type(model).__name__}: {_message(error)}"
        ) from error


def _batch(example: Any, model: Any) -> Any:
    """The first input of an example, as a batch of the module's precision."""
    import numpy as np
    import torch

    if example is None:
        expected = "one batch of inputs, such as X[:1], as a PyTorch module does not know the shape of its input"
        raise InputError(f"example: expected {expected}, found none")
    array = example.detach().cpu() if isinstance(example, torch.Tensor) else torch.tensor(np.asarray(example))
    if array.ndim < 2 or not len(array):
        raise InputError(f"example: expected one batch of inputs, found shape {list(array.shape)}")
    held = [tensor.dtype for tensor in (*model.parameters(), *model.buffers()) if tensor.is_floating_point()]
    precision = held[0] if held else torch.float32
    if precision not in (torch.float32, torch.float64):
        raise InputError(f"model: expected parameters of torch.float32 or torch.float64, found {precision}")
    return array[:1].to(precision)


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps the exporter from telling what it does; what it is unsure of is an error."""
    from torch import jit

    recorder: Any = jit
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", recorder.TracerWarning)
            yield
    finally:
        logger.setLevel(level)


def _exports_programs() -> bool:
    import torch

    return tuple(int(part) for part in torch.__version__.split(".")[:2]) >= EXPORTS_PROGRAMS


def _program(model: Any, batch: Any) -> Any:
    """Exports the program of a module, which must be the same for every input."""
    import torch

    export: Any = torch.onnx.export
    return export(model, (batch,), dynamo=True, opset_version=OPSET, verbose=False).model_proto


def _recording(model: Any, batch: Any) -> Any:
    """Exports what a module does with one batch; a warning that it might do something else with another is an error."""
    import onnx
    import torch

    content = BytesIO()
    export: Any = torch.onnx.export
    export(model, (batch,), content, dynamo=False, opset_version=OPSET)
    return onnx.load_from_string(content.getvalue())


def _compare(model: Any, proto: Any, batch: Any) -> None:
    """Refuses a file that is not the module: an exporter takes what escapes it for a constant."""
    import numpy as np
    import torch
    from onnx.reference import ReferenceEvaluator

    name = type(model).__name__
    generator = torch.Generator().manual_seed(0)
    point = batch + torch.randn(batch.shape, generator=generator, dtype=batch.dtype)
    with torch.no_grad():
        expected = model(point)
    if not isinstance(expected, torch.Tensor):
        raise InputError(
            f"model: expected a module that gives one tensor, found {name}, which gives {type(expected).__name__}"
        )
    try:
        found: Any = next(iter(ReferenceEvaluator(proto).run(None, {proto.graph.input[0].name: point.numpy()})))
    except Exception as error:
        raise InputError(f"model: expected operators that onnx computes, found {name}: {_message(error)}") from error
    difference = np.abs(found - expected.numpy()).max() if found.shape == tuple(expected.shape) else np.inf
    if not difference <= SAME * max(1.0, float(expected.abs().max())):
        which = f"{name}, whose outputs differ by {difference:.1g} from those of its file"
        raise InputError(f"model: expected a module that torch.onnx.export records as it is, found {which}")


def _without_provenance(proto: Any) -> Any:
    """A model without paths, texts and what only tells how it was made."""
    graph = proto.graph
    del graph.value_info[:]
    for part in (proto, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    return proto


def _from_sklearn(model: Any) -> Converted:
    classifier = _classifier(model)
    _require(("onnx", "skl2onnx"), "sklearn")
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType

    name = type(model).__name__
    inputs = [("X", DoubleTensorType([None, int(model.n_features_in_)]))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            versions = {"": OPSET, "ai.onnx.ml": CLASSICAL_OPSET}
            proto = to_onnx(model, name=name, initial_types=inputs, options={"zipmap": False}, target_opset=versions)
    except Exception as error:
        raise InputError(f"model: expected a model that skl2onnx converts, found {name}: {_message(error)}") from error
    proto = _up_to_scores(proto)
    if classifier.out_activation_ == "logistic":
        _add_zero(proto)
    content = _without_provenance(proto).SerializeToString(deterministic=True)
    return Converted(content, tuple(str(label) for label in classifier.classes_), name)


def _classifier(model: Any) -> Any:
    """The fitted classifier of a model, which has one class a point and is piecewise linear."""
    last = model.steps[-1][1] if _is_of(model, "sklearn", "Pipeline") and model.steps else model
    if not _is_of(last, "sklearn", "MLPClassifier"):
        raise InputError(
            f"model: expected an MLPClassifier, or a pipeline that ends in one, found {_kind(model, last)}"
        )
    if last.activation not in PIECEWISE_LINEAR:
        raise InputError(f"model: expected activation {' or '.join(PIECEWISE_LINEAR)}, found {last.activation}")
    if not hasattr(last, "coefs_"):
        raise InputError(f"model: expected a fitted model, found {_kind(model, last)} that is not")
    several = last.out_activation_ == "logistic" and last.n_outputs_ > 1
    if several or len(last.classes_) < 2:
        found = f"{last.n_outputs_} labels a point" if several else f"{len(last.classes_)} class"
        raise InputError(f"model: expected a classifier with one of two or more classes a point, found {found}")
    return last


def _kind(model: Any, last: Any) -> str:
    name = type(model).__name__
    return name if last is model else f"{name} that ends in {type(last).__name__}"


def _up_to_scores(proto: Any) -> Any:
    """The part of a classifier's graph before its softmax or sigmoid, which must be a plain network."""
    from onnx.shape_inference import infer_shapes
    from onnx.utils import Extractor

    scores = [node.input[0] for node in proto.graph.node if node.op_type in ("Softmax", "Sigmoid")][-1]
    part = Extractor(infer_shapes(proto)).extract_model([proto.graph.input[0].name], [scores])
    for node in part.graph.node:
        if node.domain not in ("", "ai.onnx"):
            expected = "steps that are sums and products, such as StandardScaler"
            raise InputError(
                f"model: expected {expected}, found one that skl2onnx converts to {node.domain}.{node.op_type}"
            )
    return part


def _add_zero(proto: Any) -> None:
    """Puts a zero before the one score of a classifier of two classes."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = proto.graph
    score = graph.output[0].name
    graph.initializer.append(numpy_helper.from_array(np.array([[0.0, 1.0]]), "zero_and_score"))
    graph.node.append(helper.make_node("MatMul", [score, "zero_and_score"], ["scores"], name="scores"))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("scores", TensorProto.DOUBLE, [None, 2]))
