"""The package's functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from . import _bartizan, _data, _options
from ._errors import InputError
from ._network import Network, load
from ._results import Check, Coverage, Outcome, Run


def verify(model: Any, x: Any, radius: Any = None, label: int | None = None, **options: Any) -> Outcome:
    """Answers one query.

    ``verify(model, "property.vnnlib")`` answers a VNN-LIB query; ``verify(model, x, radius)`` asks whether all inputs within the radius of a point
    keep its label, which is the model's own class of it unless ``label`` says otherwise.
    """
    if _data.is_path(x) and radius is None:
        (search,) = _options.split(options, _options.SEARCH)
        network = load(model)
        question: Any = os.fspath(x)
        asked: dict[str, Any] = {}
    else:
        within, search = _options.split(options, _options.WITHIN, _options.SEARCH)
        network, question, asked = _point(model, x, (radius, label), within)
    outcome = _bartizan.verify(network._network, question, _options.search(search))
    return Outcome(outcome, network, question, asked)


def _point(model: Any, x: Any, asked: tuple[Any, int | None], within: dict[str, Any]) -> tuple[Network, Any, dict[str, Any]]:
    import numpy as np

    radius, label = asked
    if radius is None:
        raise InputError("radius: expected a number such as 0.02 or '8/255', found none")
    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    network = load(model, array[None] if array.ndim else None)
    if array.dtype.kind not in "fiub" or array.size != network.inputs:
        expected = f"one point of shape {list(network.input_shape)}"
        raise InputError(f"x: expected {expected}, found shape {list(array.shape)} of {array.dtype}")
    if not np.isfinite(array).all():
        raise InputError("x: expected finite numbers, found NaN or infinity")
    if label is None:
        label = int(network.predict(_normalised(array, network, within))[0])
    elif network.class_names is not None:
        label = _data.labels(array[None], [label], network)[0]
    texts = _options.within(radius, within)
    question = (np.ascontiguousarray(array, dtype="<f8").tobytes(), int(label), texts)
    return network, question, {"x": array, "label": int(label), "radius": texts["radius"], "norm": texts["norm"]}


def _normalised(array: Any, network: Network, within: dict[str, Any]) -> Any:
    """A point as the network sees it, near enough to tell its class."""
    import numpy as np

    shape = (1, *network.input_shape)
    values = np.asarray(array, dtype=float).reshape(shape)
    for name, combine in (("mean", np.subtract), ("std", np.divide)):
        if within[name] is not None:
            numbers = np.array([_value(text) for text in _options.numbers(name, within[name]).split(",")])
            sides = shape if numbers.size == values.size else (-1,) + (1,) * (len(shape) - 2)
            values = combine(values, numbers.reshape(sides))
    return values


def _value(text: str) -> float:
    from fractions import Fraction

    try:
        return float(Fraction(text.strip()))
    except ValueError:
        raise InputError(f"mean or std: expected numbers, found {text!r} (give label= where they are in a file)") from None


def certify(model: Any, X: Any, y: Any = None, *, radius: Any, label_column: str | None = None,
            progress: Callable[[int, int], object] | None = None, **options: Any) -> Run:
    """Certifies the points of a data set: every input within the radius, cut to the valid range, is proved to keep the point's label, or is not.

    ``X`` and ``y`` are arrays (without ``y``, the labels are the classes that the model gives) or files as on the command line. ``progress`` is
    called with the number of points that have an answer and of those that are asked for. Ctrl-C ends the run; what was answered is in the store.
    """
    return Run(_start(_bartizan.certify, model, (X, y, label_column), radius, options, progress))


def radius(model: Any, X: Any, y: Any = None, *, radius: Any, precision: float = 0.01, label_column: str | None = None,
           progress: Callable[[int, int], object] | None = None, **options: Any) -> Run:
    """Brackets, for each point, the largest certified and the smallest falsified radius up to ``radius``, until they differ by the share
    ``precision`` of it."""
    options = {**options, "precision": float(precision)}
    return Run(_start(_bartizan.certify, model, (X, y, label_column), radius, options, progress))


def _start(begin: Callable[..., Any], model: Any, data: tuple[Any, Any, str | None], radius: Any, options: dict[str, Any],
           *rest: Any) -> Any:
    """Puts arguments in order and begins a run."""
    within, search, course = _options.split(options, _options.WITHIN, _options.SEARCH, _options.COURSE)
    X, y, label_column = data
    network = load(model, None if _data.is_path(X) else X[:1])
    texts = _options.within(radius, within)
    if y is None and not _data.is_path(X) and (within["mean"] is not None or within["std"] is not None):
        raise InputError("y: expected labels, as mean and std change what the model sees, found none")
    points = _data.dataset(X, y, network, label_column)
    return begin(network._network, points, texts, _options.search(search), _options.course(course), *rest)


def coverage(run: Run | str | os.PathLike[str], *, confidence: float | None = None, require: float | None = None,
             population: int | None = None) -> Coverage:
    """What a run says of inputs like its points, at any confidence; or of the points of a finite population that they were drawn from at random."""
    found = run if isinstance(run, Run) else open(run)
    if confidence is not None or require is not None:
        stated = found.coverage.confidence if confidence is None else float(confidence)
        found = Run(found._run.judged_at(stated, require))
    result = Coverage(found, population)
    if population is not None:
        result.estimates  # noqa: B018  a population that makes no sense is refused here
    return result


def check(claim: Any, model: Any, X: Any = None, y: Any = None, *, property: str | os.PathLike[str] | None = None,
          label_column: str | None = None, jobs: int | None = None) -> Check:
    """Has the checker judge stored answers anew.

    ``claim`` is a run or its store (``X`` and ``y`` are needed where it read arrays and has been closed since), the outcome of a query, or a certificate (bytes, or
    a file) with the VNN-LIB ``property`` that it proves.
    """
    network = load(model, None if X is None or _data.is_path(X) else X[:1])
    if isinstance(claim, Outcome):
        if not claim.is_verified:
            raise InputError(f"claim: expected a verified outcome, found one that is {claim.verdict}")
        return _certificate(network, claim._question, claim.certificate or b"", jobs)
    if property is not None:
        content = claim if isinstance(claim, bytes) else _read(claim)
        return _certificate(network, os.fspath(property), content, jobs)
    run = claim if isinstance(claim, Run) else open(claim)
    points = None if X is None else _data.dataset(X, y, network, label_column)
    return Check(run._run.check(network._network, points))


def _certificate(network: Network, question: Any, content: bytes, jobs: int | None) -> Check:
    search = _options.search({**_options.SEARCH, "jobs": jobs})
    found = {"accepted": True, "certified": 1, "falsified": 0, "misclassified": 0, "unknown": 0, "refused": [], "figures": "none"}
    try:
        _bartizan.check(network._network, question, content, search)
    except InputError as error:
        if "the checker refused" not in str(error):
            raise
        found.update(accepted=False, certified=0, refused=[(0, str(error))])
    return Check(found)


def _read(path: Any) -> bytes:
    from pathlib import Path

    from ._errors import FileError

    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot read: {error.strerror}") from error


def merge(stores: Iterable[str | os.PathLike[str]], store: str | os.PathLike[str]) -> Run:
    """Puts the stores of the shards of a run together in a new file."""
    return Run(_bartizan.merge([os.fspath(path) for path in stores], os.fspath(store)))


def open(path: str | os.PathLike[str]) -> Run:
    """Opens the store of a run, which may still go on. Nothing in it is checked (:func:`check`)."""
    return Run(_bartizan.Run.open(os.fspath(path)))
