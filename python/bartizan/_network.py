"""Networks."""

from __future__ import annotations

import os
from typing import Any

from . import _bartizan, _data
from ._errors import InputError


class Network:
    """A network that has been read and prepared for any number of questions; made by :func:`bartizan.load`."""

    def __init__(self, compiled: _bartizan.Network, model_bytes: bytes | None, class_names: tuple[str, ...] | None):
        self._network = compiled
        self._bytes = model_bytes
        self.class_names = class_names
        """Names of the classes, where the model has them."""

    @property
    def name(self) -> str:
        """The path that was read, or the kind of model."""
        return self._network.name

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Sizes of the input, without the batch dimension."""
        return tuple(self._network.input_shape)

    @property
    def inputs(self) -> int:
        """Number of input elements."""
        count = 1
        for side in self.input_shape:
            count *= side
        return count

    @property
    def classes(self) -> int:
        """Number of outputs, one a class."""
        return self._network.classes

    @property
    def sha256(self) -> str:
        """SHA-256 of the model file."""
        return self._network.sha256

    @property
    def semantics(self) -> str:
        """What is meant by the outputs: ``"real"`` or ``"float32"``."""
        return self._network.semantics

    def under(self, semantics: str) -> Network:
        """The same network under other semantics: everything that is asked of it is meant so.

        ``"real"`` is real arithmetic on the stored weights. ``"float32"`` is every execution in binary32, whatever the order in which it
        adds, with or without fused multiply-add.
        """
        return Network(self._network.under(semantics), self._bytes, self.class_names)

    def outputs(self, X: Any) -> Any:
        """The outputs at inputs of the network, a row for each: binary64 arithmetic, rounded, no proof."""
        import numpy as np

        array, _ = _data.points(X)
        is_one = array.size == self.inputs
        if not is_one and (array.size == 0 or array[0].size != self.inputs):
            expected = f"inputs of shape {list(self.input_shape)}"
            raise InputError(f"X: expected {expected}, found shape {list(array.shape)}")
        rows = array.reshape(-1, self.inputs)
        found = [np.frombuffer(self._network.outputs(part.tobytes()), dtype="<f8") for part in _data.parts(rows)]
        return np.concatenate(found).reshape(len(rows), self.classes)

    def predict(self, X: Any) -> Any:
        """The class of each input: the first of the largest outputs."""
        return self.outputs(X).argmax(axis=1)

    def __repr__(self) -> str:
        sides = "x".join(str(side) for side in self.input_shape)
        return f"<bartizan.Network {self.name}: {sides} inputs, {self.classes} classes>"


def load(model: Any, example: Any = None) -> Network:
    """Reads a network, or converts a model to one.

    ``model`` is the path of an ONNX or NNet file (gzipped or not), the bytes of an ONNX file, a PyTorch ``nn.Module`` (then ``example`` is an
    array with one batch of inputs), a scikit-learn ``MLPClassifier``, or a network, which is returned as it is.
    """
    if isinstance(model, Network):
        return model
    if _data.is_path(model):
        return Network(_bartizan.Network.read(os.fspath(model)), None, None)
    if isinstance(model, (bytes, bytearray, memoryview)):
        content = bytes(model)
        return Network(_bartizan.Network.of_bytes(content, "model"), content, None)
    from . import convert

    converted = convert.onnx_bytes(model, example)
    compiled = _bartizan.Network.of_bytes(converted.model, converted.name)
    return Network(compiled, converted.model, converted.class_names)


def model_bytes(network: Network) -> bytes:
    """The bytes of the model file, for those who read it elsewhere."""
    if network._bytes is not None:
        return network._bytes
    with open(network.name, "rb") as file:
        return file.read()
