"""Tests with the marker `robustness`: what they return is certified and judged."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _evidence
from ._evidence import Question, row

if TYPE_CHECKING:
    from ._assertions import Record
    from ._results import Coverage, Point, Run

#: Options of the marker that are about the judgement.
OF_JUDGEMENT = ("at_least", "confidence")

#: Options of the marker that are about the question and the search: those of `bartizan.certify` that the plugin leaves
#: to the test.
OF_QUESTION = (
    ("radius", "norm", "clip", "mean", "std", "fix", "vary", "label_column")
    + ("timeout", "method", "split", "attack", "seed", "jobs")
    + ("select", "shard", "budget", "sequential")
)

#: What a test is to return.
EXPECTED = "(model, X, y), (model, X), a dict with model, X and y, or a bartizan.Run"

#: The most points that one failure shows.
MOST_POINTS = 5

#: Confidence where neither the marker nor a run says any.
CONFIDENCE = 0.95

#: The worst first.
ORDER = ("falsified", "misclassified", "timeout", "unknown")


class UsageError(Exception):
    """A marker or a test that is not what it should be."""


@dataclass
class Judged:
    """What became of a test."""

    run: Run
    coverage: Coverage
    at_least: float | None
    time_s: float
    places: dict[str, str] = field(default_factory=dict)
    """Where the run's files are, by kind."""
    network: Any = None
    X: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """Whether the test passes."""
        if self.at_least is None:
            return self.run.certified == self.run.points
        return self.coverage.lower >= self.at_least


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that the marker does not have, or with values that make no sense."""
    known = (*OF_JUDGEMENT, *OF_QUESTION)
    for name in options:
        if name not in known:
            raise UsageError(f"expected options among {', '.join(sorted(known))}, found {name!r}")
    at_least, confidence = options.get("at_least"), options.get("confidence")
    if at_least is not None and not _is_number(at_least, 0, 1):
        raise UsageError(f"at_least: expected a share from 0 to 1, found {at_least!r}")
    if confidence is not None and not (_is_number(confidence, 0, 1) and 0 < confidence < 1):
        raise UsageError(f"confidence: expected a number between 0 and 1, such as 0.95, found {confidence!r}")


def _is_number(value: Any, lowest: float, highest: float) -> bool:
    return not isinstance(value, (bool, str)) and hasattr(value, "__float__") and lowest <= float(value) <= highest


def judge(returned: Any, options: Mapping[str, Any], record: Record) -> Judged:
    """Certify what a test returned, keep it, and judge it."""
    from . import Run

    if isinstance(returned, Run):
        return _keep(_judge_run(returned, options), record.folder())
    model, X, y = _parts(returned)
    if options.get("radius") is None:
        expected = "a number such as 0.02 or '8/255', found none (a test that returns a Run needs none)"
        raise UsageError(f"radius: expected {expected}")
    folder = record.folder()
    return _keep(_certify((model, X, y), record.options(options), folder), folder)


def _parts(returned: Any) -> tuple[Any, Any, Any]:
    """Model, points and labels."""
    if returned is None:
        raise UsageError(f"the test is to return {EXPECTED}; it returned nothing")
    if isinstance(returned, Mapping):
        names = set(returned)
        if not {"model", "X"} <= names <= {"model", "X", "y"}:
            found = ", ".join(map(str, returned)) or "nothing"
            raise UsageError(f"expected a dict with model, X and y, found one with {found}")
        return returned["model"], returned["X"], returned.get("y")
    if isinstance(returned, (tuple, list)) and len(returned) in (2, 3):
        model, X, *labels = returned
        return model, X, labels[0] if labels else None
    size = f" of {len(returned)}" if isinstance(returned, (tuple, list)) else ""
    raise UsageError(f"the test is to return {EXPECTED}; it returned a {type(returned).__name__}{size}")


def _certify(data: tuple[Any, Any, Any], options: Mapping[str, Any], folder: Path | None) -> Judged:
    from . import _api, _data
    from ._network import load

    model, X, y = data
    network = load(model, None if _data.is_path(X) else X[:1])
    asked = {name: value for name, value in options.items() if name not in OF_JUDGEMENT}
    at_least, confidence = options.get("at_least"), options.get("confidence") or CONFIDENCE
    store = None if folder is None else folder / "run.db"
    start = time.perf_counter()
    run = _api.certify(network, X, y, store=store, require=at_least, confidence=confidence, **asked)
    duration = time.perf_counter() - start
    points = None if _data.is_path(X) else _data.points(X)[0]
    return Judged(run, run.coverage, at_least, duration, network=network, X=points, options=asked)


def _judge_run(run: Run, options: Mapping[str, Any]) -> Judged:
    """Judge a run that the test has made itself."""
    from . import _api

    for name, value in options.items():
        if name not in OF_JUDGEMENT and value is not None:
            raise UsageError(f"{name}: expected none, as the test returned a Run, found {value!r}")
    at_least, confidence = options.get("at_least"), options.get("confidence")
    coverage = _api.coverage(run, confidence=confidence or run.coverage.confidence, require=at_least)
    return Judged(run, coverage, at_least, sum(point.time_s for point in run))


def _keep(judged: Judged, folder: Path | None) -> Judged:
    """Write down the run and a report where there is a folder."""
    run = judged.run
    if folder is not None:
        if run.store is None:
            run.save(folder / "run.db")
            judged.places["store"] = _evidence.shown(folder / "run.db")
        run.report(folder / "report.html")
        judged.places["report"] = _evidence.shown(folder / "report.html")
    if run.store is not None:
        judged.places["store"] = _evidence.shown(run.store)
    return judged


def properties(judged: Judged) -> dict[str, Any]:
    """What the test's report carries: to JUnit XML, to the summary, and from one process to another."""
    counts, coverage, run = judged.run.counts, judged.coverage, judged.run
    names = ("points", "certified", "falsified", "misclassified", "unknown", "unanswered")
    return {
        "verdict": "met" if judged.is_met else "not met",
        **{name: counts[name] for name in names},
        "lower": coverage.lower,
        "upper": coverage.upper,
        "confidence": coverage.confidence,
        "at_least": judged.at_least if judged.at_least is not None else "every point",
        "radius": run.radius,
        "norm": run.norm,
        "model": run.model,
        "time_s": round(judged.time_s, 3),
        "root": run.root or "",
        **judged.places,
    }


def failure(judged: Judged) -> str:
    """What is said of a test whose share is not reached."""
    blocks = [_evidence.listed(_facts(judged))]
    worst = _worst(judged.run)
    if worst:
        blocks.append("worst points")
        blocks += [_evidence.listed(_point(judged, point)) for point in worst[:MOST_POINTS]]
    rest = len(worst) - MOST_POINTS
    return "\n\n".join([_heading(judged), *blocks, *([f"  and {rest} more"] if rest > 0 else [])])


def _heading(judged: Judged) -> str:
    run, coverage = judged.run, judged.coverage
    if judged.at_least is None:
        return f"not robust: {run.points - run.certified} of {run.points} points are not certified"
    lower = _down(coverage.lower)
    return f"robustness not shown: the interval's lower end is {lower}, {judged.at_least:g} is required"


def _facts(judged: Judged) -> list[str]:
    run, coverage = judged.run, judged.coverage
    lines = [
        row("model", run.model),
        row("radius", radius_of(run)),
        row("points", counts_of(run.counts)),
        row("interval", f"{interval_of(coverage.lower, coverage.upper, coverage.confidence)} ({coverage.method})"),
        row("assumed", coverage.assumptions),
    ]
    if judged.at_least is not None:
        lines.append(row("required", f"lower end at least {judged.at_least:g}"))
    needed = _needed(judged)
    if needed is not None:
        lines.append(row("", f"{run.points} points cannot show this even if all are certified; {needed} can"))
    return [*lines, *(row(name, place) for name, place in judged.places.items())]


def radius_of(run: Run) -> str:
    """The inputs that a run is about."""
    clip = run.facts["clip"]
    return _evidence.within(run.radius, {"norm": run.norm, "clip": clip})


def counts_of(counts: Mapping[str, Any]) -> str:
    """Counts in words."""
    words = ", ".join(f"{counts[name]} {name}" for name in ("certified", "falsified", "misclassified", "unknown"))
    unanswered = f" ({counts['unanswered']} without an answer)" if int(counts["unanswered"]) else ""
    return f"{counts['points']}: {words}{unanswered}"


def interval_of(lower: float, upper: float, confidence: float) -> str:
    """An interval, rounded outwards."""
    return f"{_down(lower)} to {_up(upper)} at confidence {confidence:g}"


def _down(share: float) -> str:
    return f"{math.floor(share * 10_000) / 10_000:.4f}"


def _up(share: float) -> str:
    return f"{math.ceil(share * 10_000) / 10_000:.4f}"


def _needed(judged: Judged) -> int | None:
    """How many points could show what is required, where the run's own number could not.

    If all of n points are certified, the lower end is `(a/2)^(1/n)`.
    """
    share, points = judged.at_least, judged.run.points
    tail = (1 - judged.coverage.confidence) / 2
    if not judged.coverage.method.startswith("Clopper-Pearson") or not share or points == 0:
        return None
    if share == 1 or tail ** (1 / points) >= share:
        return None
    return math.ceil(math.log(tail) / math.log(share))


def _worst(run: Run) -> list[Point]:
    """The points that are not certified, the worst first.

    These are the falsified ones, of them the nearest to their counterexamples, of equal ones those of which the network
    is surest.
    """

    def badness(point: Point) -> tuple[int, float, float]:
        return ORDER.index(point.verdict), point.falsified_radius_share or 0.0, -point.confidence

    return sorted((point for point in run if point.verdict != "certified"), key=badness)


def _point(judged: Judged, point: Point) -> list[str]:
    """What is said of a point that is not certified."""
    lines = [row("point", f"{point.index}: {point.verdict}")]
    if point.verdict == "misclassified":
        return [*lines, row("class", f"{point.label} expected; the point itself gets {_predicted(point)}")]
    if point.verdict != "falsified":
        return [*lines, row("reason", point.reason or ""), row("class", f"{point.label} expected")]
    if judged.X is None:
        rival = _evidence.rival_of(point.outputs, point.label)
        return [*lines, row("class", f"{point.label} expected; the counterexample gets {rival}")]
    question = Question(judged.network, judged.X[point.index], point.label, judged.run.radius, judged.options)
    return [*lines, *_evidence.counterexample(question, point.counterexample, point.outputs)]


def _predicted(point: Point) -> str:
    tie = f"{point.label} and another with as large an output"
    return str(point.predicted) if point.predicted != point.label else tie
