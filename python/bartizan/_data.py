"""Arrays and files as data sets of the compiled half."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import _bartizan, _options
from ._errors import InputError

if TYPE_CHECKING:
    from ._network import Network

#: Elements that are converted at once, so that a large array is not doubled.
AT_ONCE = 1 << 20


def is_path(value: Any) -> bool:
    """Whether something names a file."""
    return isinstance(value, (str, os.PathLike))


def dataset(X: Any, y: Any, network: Network, label_column: str | None = None) -> _bartizan.Data:
    """A data set from files or arrays; without labels, those that the network gives."""
    if is_path(X):
        if y is not None and not is_path(y):
            raise InputError("y: expected a file, as X is one, found an array")
        return _bartizan.Data.open(os.fspath(X), None if y is None else os.fspath(y), label_column)
    if is_path(y):
        raise InputError("y: expected labels as an array, as X is one, found a file")
    array, columns = points(X)
    builder = _bartizan.Builder(list(array.shape[1:]) or [1], columns)
    for part in parts(array):
        builder.push(part.tobytes())
    return builder.finish(labels(array, y, network))


def asked(
    model: Any, data: tuple[Any, Any, str | None], radius: Any, options: Mapping[str, Any]
) -> tuple[Network, _bartizan.Data, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A network, its points, and all options of a run, put in order."""
    within, search, course = _options.split(options, _options.WITHIN, _options.SEARCH, _options.COURSE)
    X, y, label_column = data
    network = _load(model, None if is_path(X) else X[:1])
    texts = _options.within(radius, within)
    if y is None and not is_path(X) and (within["mean"] is not None or within["std"] is not None):
        raise InputError("y: expected labels, as mean and std change what the model sees, found none")
    found = dataset(X, y, network, label_column)
    return network, found, texts, _options.search(search), _options.course(course)


def _load(model: Any, example: Any) -> Network:
    from ._network import load

    return load(model, example)


def batch(point: Any) -> Any:
    """A batch of one point, which tells some models the shape of their input."""
    return None if point is None or not point.ndim else point[None]


def points(X: Any) -> tuple[Any, list[str] | None]:
    """An array with one row a point, and the names of the columns where X is a table."""
    import numpy as np

    columns = [str(column) for column in X.columns] if hasattr(X, "columns") else None
    array = np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise InputError(f"X: expected an array of numbers with a row for each point, found {_kind(array)}")
    return array, columns


def parts(array: Any) -> Iterator[Any]:
    """The array's rows as binary64, some at a time."""
    import numpy as np

    width = max(1, int(np.prod(array.shape[1:])))
    rows = max(1, AT_ONCE // width)
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows], dtype="<f8")


def labels(array: Any, y: Any, network: Any) -> list[int]:
    """Class indices: numbers, or names of the network's classes."""
    import numpy as np

    if y is None:
        return [int(label) for label in network.predict(array)]
    values = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(f"y: expected one label for each point, found {_kind(values)}")
    if network.class_names is not None:
        return _by_name(values, network.class_names)
    return [_class(index, value) for index, value in enumerate(values.tolist())]


def _by_name(values: Any, names: tuple[str, ...]) -> list[int]:
    places = {name: index for index, name in enumerate(names)}
    found = []
    for index, value in enumerate(values.tolist()):
        if str(value) not in places:
            raise InputError(f"y: label {index}: expected one of {', '.join(names)}, found {value!r}")
        found.append(places[str(value)])
    return found


def _class(index: int, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or value < 0 or value % 1:
        raise InputError(f"y: label {index}: expected a class index (0, 1, 2, ...), found {value!r}")
    return int(value)


def _kind(array: Any) -> str:
    return f"shape {list(array.shape)} of {array.dtype}"
