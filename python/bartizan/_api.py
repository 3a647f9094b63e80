"""The package's functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from . import _bartizan, _data, _options
from ._errors import FileError, InputError
from ._network import Network, load
from ._options import QueryOptions, RunOptions
from ._results import Check, Coverage, Outcome, Run

if TYPE_CHECKING:
    from ._options import Numbers

#: How the checker's refusals begin.
REFUSED = "the checker refused the certificate: "


def verify(
    model: Any, x: Any, radius: Numbers | None = None, label: Any = None, **options: Unpack[QueryOptions]
) -> Outcome:
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


def _point(
    model: Any, x: Any, asked: tuple[Any, Any], within: Mapping[str, Any]
) -> tuple[Network, Any, dict[str, Any]]:
    import numpy as np

    radius, label = asked
    if radius is None:
        raise InputError("radius: expected a number such as 0.02 or '8/255', found none")
    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    network = load(model, _data.batch(array))
    if array.dtype.kind not in "fiub" or array.size != network.inputs:
        expected = f"one point of shape {list(network.input_shape)}"
        raise InputError(f"x: expected {expected}, found shape {list(array.shape)} of {array.dtype}")
    if not np.isfinite(array).all():
        raise InputError("x: expected finite numbers, found NaN or infinity")
    if label is None:
        label = int(network.predict(_normalised(array, network, within))[0])
    else:
        label = _data.labels(array[None], [label], network)[0]
    texts = _options.within(radius, within)
    question = (np.ascontiguousarray(array, dtype="<f8").tobytes(), int(label), texts)
    return network, question, {"x": array, "label": int(label), "radius": texts["radius"], "norm": texts["norm"]}


def _normalised(array: Any, network: Network, within: Mapping[str, Any]) -> Any:
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


def certify(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    radius: Numbers,
    label_column: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    **options: Unpack[RunOptions],
) -> Run:
    """Certifies the points of a data set: every input within the radius, cut to the valid range, is proved to keep the point's label, or is not.

    ``X`` and ``y`` are arrays (without ``y``, the labels are the classes that the model gives) or files as on the command line. ``progress`` is
    called with the number of points that have an answer and of those that are asked for. Ctrl-C ends the run; what was answered is in the store.
    """
    return _start(model, (X, y, label_column), radius, options, progress)


def radius(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    radius: Numbers,
    precision: float = 0.01,
    label_column: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    **options: Unpack[RunOptions],
) -> Run:
    """Brackets, for each point, the largest certified and the smallest falsified radius up to ``radius``, until they differ by the share
    ``precision`` of it."""
    given = {**options, "precision": float(precision)}
    return _start(model, (X, y, label_column), radius, given, progress)


def _start(
    model: Any,
    data: tuple[Any, Any, str | None],
    radius: Any,
    options: Mapping[str, Any],
    progress: Callable[[int, int], object] | None,
) -> Run:
    """Puts arguments in order and makes a run."""
    network, points, within, search, course = _data.asked(model, data, radius, options)
    return Run(_bartizan.certify(network._network, points, (within, search, course), progress))


def coverage(
    run: Run | str | os.PathLike[str],
    *,
    confidence: float | None = None,
    require: float | None = None,
    population: int | None = None,
) -> Coverage:
    """What a run says of inputs like its points, at any confidence; or of the points of a finite population that they were drawn from at random."""
    asked = run if isinstance(run, Run) else open(run)
    found = asked
    if confidence is not None or require is not None:
        stated = asked.coverage.confidence if confidence is None else float(confidence)
        found = Run(asked._run.judged_at(stated, require))
    result = Coverage(found, population)
    # The store of a run that nobody wanted to keep goes with the run.
    result._asked = asked
    if population is not None:
        result.estimates  # noqa: B018  a population that makes no sense is refused here
    return result


def check(
    claim: Run | Outcome | bytes | str | os.PathLike[str],
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    property: str | os.PathLike[str] | None = None,
    radius: Numbers | None = None,
    label_column: str | None = None,
    **options: Unpack[QueryOptions],
) -> Check:
    """Has the checker judge stored answers anew, from the model and the question alone.

    ``claim`` is a run or its store (``X`` and ``y`` are needed where it read arrays and has been closed since); the outcome of a query; or a
    certificate (bytes, or a file) with what it proves: the VNN-LIB ``property``, or the point ``X`` with its label ``y``, the ``radius`` and the
    options of the question, such as ``clip``.
    """
    within, search = _options.split(options, _options.WITHIN, _options.SEARCH)
    if isinstance(claim, Outcome):
        if not claim.is_verified:
            raise InputError(f"claim: expected a verified outcome, found one that is {claim.verdict}")
        return _certificate(load(model, _data.batch(claim.x)), claim._question, claim.certificate or b"", search)
    if property is not None:
        return _certificate(load(model), os.fspath(property), _content(claim), search)
    if radius is not None:
        network, question, _ = _point(model, X, (radius, y), within)
        return _certificate(network, question, _content(claim), search)
    if isinstance(claim, bytes):
        raise InputError("claim: expected property, or X with y and radius, beside a certificate, found neither")
    network = load(model, None if X is None or _data.is_path(X) else X[:1])
    run = claim if isinstance(claim, Run) else open(claim)
    points = None if X is None else _data.dataset(X, y, network, label_column)
    return Check(run._run.check(network._network, points))


def _certificate(network: Network, question: Any, content: bytes, search: Mapping[str, Any]) -> Check:
    found: dict[str, Any] = {"accepted": True, "certified": 1, "refused": [], "figures": "none"}
    try:
        _bartizan.check(network._network, question, content, _options.search(search))
    except InputError as error:
        if not str(error).startswith(REFUSED):
            raise
        found.update(accepted=False, certified=0, refused=[(0, str(error))])
    return Check({"falsified": 0, "misclassified": 0, "unknown": 0, **found})


def _content(claim: Any) -> bytes:
    """The bytes of a certificate."""
    from pathlib import Path

    if isinstance(claim, bytes):
        return claim
    try:
        return Path(claim).read_bytes()
    except OSError as error:
        raise FileError(f"{claim}: cannot read: {error.strerror}") from error


def merge(stores: Iterable[str | os.PathLike[str]], store: str | os.PathLike[str]) -> Run:
    """Puts the stores of the shards of a run together in a new file."""
    return Run(_bartizan.merge([os.fspath(path) for path in stores], os.fspath(store)))


def open(path: str | os.PathLike[str]) -> Run:
    """Opens the store of a run, which may still go on. Nothing in it is checked (:func:`check`)."""
    return Run(_bartizan.Run.open(os.fspath(path)))
