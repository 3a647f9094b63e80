"""`assert_robust`: robustness at given points, for tests. It needs no pytest, which adds that evidence is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from . import _evidence
from ._evidence import Kept, Question, row

if TYPE_CHECKING:
    from ._network import Network
    from ._results import Check, Outcome

#: The most points that one failure shows.
MOST_POINTS = 5

#: Headings of failures at one point.
VIOLATED = "not robust: there is a counterexample"
UNKNOWN = "nothing is known: neither robustness nor a counterexample was shown"


class Record(Protocol):
    """What a test runner wants to know, and says."""

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options that a test gives, with those that the runner gives."""

    def folder(self) -> Path | None:
        """Where evidence is kept; none where it is not."""

    def add(self, outcomes: Sequence[Outcome]) -> int:
        """Note the outcomes of an assertion, and tell which one of the test it is, from 1."""


#: The test that runs.
RECORD: ContextVar[Record | None] = ContextVar("bartizan_record", default=None)


def assert_robust(model: Any, x: Any, radius: Any, *, label: Any = None, **options: Any) -> Outcome | list[Outcome]:
    """Prove that the model gives all inputs within a radius of a point the same label, or fail.

    Args:
        model: The model, in any form that `bartizan.load` takes. Load a PyTorch module first where there are several
            points without labels.
        x: One point, or several with one row each.
        radius: The radius, as `bartizan.verify` takes it.
        label: The class of the point, or one for each; by default the class that the model gives it.
        options: Options of `bartizan.verify`.

    Returns:
        The outcome, or one for each point.

    Raises:
        AssertionError: A point has a counterexample, or nothing was shown of it: a timeout is no proof. All points are
            tried first.
    """
    __tracebackhide__ = True
    record = RECORD.get()
    options = record.options(options) if record else options
    network, rows, is_batch = _points(model, x, label)
    outcomes, questions = [], []
    for point, wanted in rows:
        outcome = _verify(network, point, (radius, wanted), options)
        outcomes.append(outcome)
        questions.append(Question(network, point, int(outcome.label or 0), radius, options))
    kept = _keep(record, outcomes, questions)
    if not all(outcome.is_verified for outcome in outcomes):
        raise AssertionError(failure(outcomes, questions, kept))
    return outcomes if is_batch else outcomes[0]


def _verify(network: Network, point: Any, asked: tuple[Any, Any], options: Mapping[str, Any]) -> Outcome:
    from ._api import verify

    __tracebackhide__ = True
    radius, label = asked
    return verify(network, point, radius=radius, label=label, **options)


def _points(model: Any, x: Any, label: Any) -> tuple[Network, list[tuple[Any, Any]], bool]:
    """The network, the points with their labels, and whether there may be several."""
    import numpy as np

    from ._errors import InputError
    from ._network import load

    array = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    labels = None if label is None else np.asarray(label.detach().cpu() if hasattr(label, "detach") else label)
    are_several = labels is not None and labels.ndim > 0
    network = load(model, array[:1] if are_several else array[None])
    is_row = array.ndim > 0 and array.shape[1:] == network.input_shape
    if not (are_several or is_row or array.size != network.inputs):
        return network, [(array, None if labels is None else labels.item())], False
    if array.ndim == 0 or len(array) == 0 or array.size != len(array) * network.inputs:
        expected = f"one point of shape {list(network.input_shape)}, or several with one row each"
        raise InputError(f"x: expected {expected}, found shape {list(array.shape)}")
    if labels is not None and labels.shape != (len(array),):
        raise InputError(f"label: expected {len(array)} labels, one for each point, found {labels.size}")
    wanted = [None] * len(array) if labels is None else labels.tolist()
    return network, list(zip(array, wanted, strict=True)), True


def failure(outcomes: Sequence[Outcome], questions: Sequence[Question], kept: Sequence[Kept | None]) -> str:
    """What is said of points that are not shown to be robust."""
    places = [place for place, outcome in enumerate(outcomes) if not outcome.is_verified]
    blocks = [
        _block(outcomes[place], questions[place], kept[place], (place, len(outcomes))) for place in places[:MOST_POINTS]
    ]
    if len(outcomes) == 1:
        return f"{VIOLATED if outcomes[0].is_violated else UNKNOWN}\n{blocks[0]}"
    counts = Counter(outcomes[place].verdict for place in places)
    found = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items(), reverse=True))
    heading = f"{len(places)} of {len(outcomes)} points are not shown to be robust: {found}"
    rest = len(places) - len(blocks)
    return "\n\n".join([heading, *blocks, *([f"  and {rest} more"] if rest else [])])


def _block(outcome: Outcome, question: Question, kept: Kept | None, place: tuple[int, int]) -> str:
    """What is said of one point."""
    index, count = place
    network = question.network
    lines = [row("verdict", _verdict(outcome))]
    lines += [row("point", f"index {index}, one of {count}")] if count > 1 else []
    lines += [row("model", network.name), row("radius", _evidence.within(question.radius, question.options))]
    if outcome.is_violated:
        lines += _evidence.counterexample(question, outcome.counterexample, outcome.outputs)
    else:
        lines.append(row("class", f"{_evidence.class_name(network, question.label)} expected"))
        lines.append(row("try", _advice(outcome)))
    return _evidence.listed([*lines, *_evidence.again(question, kept)])


def _verdict(outcome: Outcome) -> str:
    if outcome.is_violated:
        return f"violated (the checker replayed a counterexample; {outcome.time_s:.3f} s)"
    return f"{outcome.verdict} after {outcome.time_s:.3f} s ({outcome.reason})"


def _advice(outcome: Outcome) -> str:
    if outcome.verdict == "timeout":
        return "a longer timeout or a smaller radius"
    return 'a smaller radius, or method="auto" where another one was asked for'


def _keep(record: Record | None, outcomes: Sequence[Outcome], questions: Sequence[Question]) -> list[Kept | None]:
    """Write down points, certificates and what was asked, where a test runner keeps them."""
    if record is None:
        return [None] * len(outcomes)
    number, folder = record.add(outcomes), record.folder()
    if folder is None:
        return [None] * len(outcomes)
    model = _evidence.model_file(questions[0].network, folder)
    return [
        _keep_one(outcome, question, Kept(folder / f"{number}-point-{place}.npz", model))
        for place, (outcome, question) in enumerate(zip(outcomes, questions, strict=True))
    ]


def _keep_one(outcome: Outcome, question: Question, kept: Kept) -> Kept:
    import numpy as np

    arrays: dict[str, Any] = {"x": np.asarray(question.point)[None], "y": np.array([question.label])}
    if outcome.is_violated:
        arrays |= {"counterexample": outcome.counterexample, "outputs": outcome.outputs}
    np.savez(kept.point, **arrays)
    certificate = kept.point.with_suffix(".cert")
    if outcome.is_verified:
        outcome.save(certificate)
    facts = {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "time_s": outcome.time_s,
        "model": None if kept.model is None else str(Path(kept.model).resolve()),
        "model_sha256": question.network.sha256,
        "semantics": question.network.semantics,
        "point": kept.point.name,
        "label": question.label,
        "certificate": certificate.name if outcome.is_verified else None,
        "radius": _evidence.texts(question)["radius"],
        "options": _evidence.texts(question)["options"],
        "ask_again": _evidence.python_call(question, kept),
    }
    path = kept.point.with_suffix(".json")
    if outcome.is_verified:
        facts["check_again"] = f"bartizan.pytest_plugin.check_again({str(path)!r})"
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return kept


def check_again(path: str | PathLike[str], model: Any = None) -> Check:
    """Have the checker judge a certificate that `assert_robust` left behind.

    Args:
        path: The `.json` file of the question; its point and its certificate lie next to it.
        model: The model, where it is no longer in the place that the file names.
    """
    import numpy as np

    from . import _api, _options
    from ._errors import InputError
    from ._network import load

    path = Path(path)
    facts = json.loads(path.read_text(encoding="utf-8"))
    if facts["certificate"] is None:
        found = f"a point that is {facts['verdict']}"
        raise InputError(f"{path}: certificate: expected that of a verified point, found {found}")
    within = {name: value for name, value in facts["options"].items() if name in _options.WITHIN}
    point = np.load(path.with_name(facts["point"]))["x"][0]
    network = load(facts["model"] if model is None else model, point[None]).under(facts["semantics"])
    label = facts["label"] if network.class_names is None else network.class_names[facts["label"]]
    return _api.check(path.with_name(facts["certificate"]), network, point, label, radius=facts["radius"], **within)
