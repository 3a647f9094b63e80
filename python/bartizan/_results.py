"""What comes of queries and runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import _bartizan, _html
from ._errors import InputError


class Outcome:
    """The answer to one query.

    "verified" means that a separate checker has accepted the certificate, "violated" that it has replayed the counterexample, both with
    rigorous arithmetic. Everything else is "unknown" or "timeout", with a reason.
    """

    def __init__(self, compiled: _bartizan.Outcome, network: Any, question: Any, asked: dict[str, Any]):
        self._outcome = compiled
        self._network = network
        self._question = question
        self._asked = asked

    @property
    def verdict(self) -> str:
        """``verified``, ``violated``, ``unknown`` or ``timeout``."""
        return self._outcome.verdict

    @property
    def is_verified(self) -> bool:
        """Whether the property was proved."""
        return self.verdict == "verified"

    @property
    def is_violated(self) -> bool:
        """Whether there is a counterexample."""
        return self.verdict == "violated"

    @property
    def reason(self) -> str | None:
        """Why nothing was shown."""
        return self._outcome.reason

    @property
    def time_s(self) -> float:
        """Duration in seconds."""
        return self._outcome.time_s

    @property
    def certificate(self) -> bytes | None:
        """The certificate of a verified property."""
        return self._outcome.certificate

    @property
    def counterexample(self) -> Any:
        """The counterexample: an input of the network, in its shape."""
        found = self._outcome.counterexample
        return None if found is None else _array(found[0], self._network.input_shape)

    @property
    def outputs(self) -> Any:
        """The network's outputs at the counterexample."""
        found = self._outcome.counterexample
        return None if found is None else _array(found[1], (-1,))

    @property
    def predicted(self) -> int | None:
        """The class of the counterexample; of several that are largest, one that is not the label."""
        outputs = self.outputs
        if outputs is None:
            return None
        others = [index for index in range(len(outputs)) if index != self.label]
        return max(others, key=lambda index: outputs[index]) if self.label is not None else int(outputs.argmax())

    @property
    def x(self) -> Any:
        """The point that was asked about, where it was one."""
        return self._asked.get("x")

    @property
    def label(self) -> int | None:
        """Its label."""
        return self._asked.get("label")

    @property
    def radius(self) -> str | None:
        """The radius, as a decimal text."""
        return self._asked.get("radius")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the certificate of a verified property to a file."""
        if self.certificate is None:
            raise InputError(f"certificate: expected a verified property, found one that is {self.verdict}")
        Path(path).write_bytes(self.certificate)

    def __bool__(self) -> bool:
        raise TypeError("an outcome is neither true nor false: it may be unknown; ask for .verdict or .is_verified")

    def __repr__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"<bartizan.Outcome {self.verdict} in {self.time_s:.3f} s{reason}>"

    def _repr_html_(self) -> str:
        return _html.outcome(self)


class Point:
    """What became of a point of a data set."""

    def __init__(self, run: Run, facts: dict[str, Any]):
        self._run = run
        self._evidence: list[bytes | None] | None = None
        self.index: int = facts["index"]
        """Its place in the data set."""
        self.label: int = facts["label"]
        """Its label."""
        self.predicted: int = facts["predicted"]
        """The class that the network gives it."""
        self.confidence: float = facts["confidence"]
        """That class's share of the outputs' softmax."""
        self.verdict: str = facts["verdict"]
        """``certified``, ``falsified``, ``misclassified``, ``unknown`` or ``timeout``."""
        self.reason: str | None = facts["reason"]
        """Why no more was shown."""
        self.time_s: float = facts["time_s"]
        """Duration in seconds."""
        self.certified_radius_share: float | None = facts["certified_radius_share"]
        """The share of the radius within which it is certified."""
        self.falsified_radius_share: float | None = facts["falsified_radius_share"]
        """The share of the radius within which it is falsified."""

    @property
    def certificate(self) -> bytes | None:
        """The certificate."""
        return self._part(0)

    @property
    def counterexample(self) -> Any:
        """The counterexample: an input of the network, in its shape."""
        content = self._part(1)
        return None if content is None else _array(content, tuple(self._run.facts["input_shape"]))

    @property
    def outputs(self) -> Any:
        """The network's outputs at the counterexample."""
        content = self._part(2)
        return None if content is None else _array(content, (-1,))

    def _part(self, place: int) -> bytes | None:
        if self._evidence is None:
            self._evidence = self._run._run.evidence(self.index)
        return self._evidence[place]

    def __repr__(self) -> str:
        return f"<bartizan.Point {self.index}: {self.verdict}, label {self.label}, predicted {self.predicted}>"


class Run:
    """What became of the points of a data set: what is proved of them, and what is estimated of inputs like them."""

    def __init__(self, compiled: _bartizan.Run):
        self._run = compiled
        self._columns: dict[str, list[Any]] | None = None
        self._places: dict[int, int] | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What was asked: model, data, radius, options."""
        return self._run.facts

    @property
    def model(self) -> str:
        """Name of the network."""
        return self.facts["model"]

    @property
    def radius(self) -> str:
        """The radius, as a decimal text."""
        return self.facts["radius"]

    @property
    def norm(self) -> str:
        """What the radius measures."""
        return self.facts["norm"]

    @property
    def counts(self) -> dict[str, int]:
        """How many points came to what. This is proved."""
        return self._run.counts

    @property
    def points(self) -> int:
        """Points that were asked about."""
        return self.counts["points"]

    @property
    def certified(self) -> int:
        """Points proved correct and robust."""
        return self.counts["certified"]

    @property
    def falsified(self) -> int:
        """Points with a counterexample within the radius."""
        return self.counts["falsified"]

    @property
    def misclassified(self) -> int:
        """Points that are their own counterexample."""
        return self.counts["misclassified"]

    @property
    def unknown(self) -> int:
        """Points about which nothing was shown."""
        return self.counts["unknown"]

    @property
    def unanswered(self) -> int:
        """Those of the unknown points that a run which ended early did not answer."""
        return self.counts["unanswered"]

    @property
    def correct(self) -> int:
        """Points that were answered and are not shown to be misclassified."""
        return self.counts["correct"]

    @property
    def coverage(self) -> Coverage:
        """The interval for the share of inputs at which the network is correct and robust. This is estimated."""
        return Coverage(self)

    @property
    def gate(self) -> bool | None:
        """Whether the lower end of the interval reaches the required share; none where nothing was required."""
        return self._run.gate

    @property
    def end(self) -> str | None:
        """How it ended: ``completion``, ``budget``, ``interruption`` or ``gate``; none where it goes on or was killed."""
        return self._run.end

    @property
    def root(self) -> str | None:
        """The root of the Merkle tree over all answers; none where the run has not ended."""
        return self._run.root

    @property
    def store(self) -> Path | None:
        """The store; none of a run that nobody wanted to keep (see :meth:`save`)."""
        return Path(self._run.path) if self._run.is_kept else None

    def point(self, index: int) -> Point:
        """What became of a point, by its place in the data set."""
        if self._places is None:
            self._places = {point: place for place, point in enumerate(self._table()["index"])}
        if index not in self._places:
            raise InputError(f"point: expected one with an answer, found {index}")
        place = self._places[index]
        return Point(self, {name: column[place] for name, column in self._table().items()})

    def __len__(self) -> int:
        return len(self._table()["index"])

    def __iter__(self) -> Iterator[Point]:
        return (self.point(index) for index in self._table()["index"])

    def __getitem__(self, place: int) -> Point:
        return self.point(self._table()["index"][place])

    def to_pandas(self) -> Any:
        """A table with a row for each point that was answered."""
        import pandas

        return pandas.DataFrame(self._table()).set_index("index")

    def summary(self) -> str:
        """What the command line prints."""
        return bytes(self._run.form("text")).decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Copies the store, with all certificates, to a new file."""
        self._run.save(os.fspath(path))

    def report(self, path: str | os.PathLike[str] | None = None, **forms: str | os.PathLike[str]) -> None:
        """Writes reports: a page to ``path``, and others by their name: ``html``, ``json``, ``junit``, ``sarif``, ``markdown``, ``csv``,
        ``parquet``."""
        if path is not None:
            self._run.write("html", os.fspath(path))
        for form, place in forms.items():
            self._run.write(form, os.fspath(place))

    def _table(self) -> dict[str, list[Any]]:
        if self._columns is None:
            self._columns = self._run.columns
        return self._columns

    def __repr__(self) -> str:
        counts, coverage = self.counts, self.coverage
        words = ", ".join(f"{counts[name]} {name}" for name in ("certified", "falsified", "misclassified", "unknown"))
        ends = f"{100 * coverage.lower:.2f} % to {100 * coverage.upper:.2f} %"
        return f"<bartizan.Run {self.points} points: {words}; coverage {ends} with confidence {coverage.confidence:g}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return _html.run(self)


class Coverage:
    """What a run says of inputs like its points: an interval with its assumptions. It is estimated, not proved."""

    def __init__(self, run: Run, population: int | None = None):
        self._run = run
        self._population = population
        self._asked = run
        self._estimates: dict[str, Any] | None = None
        self.lower, self.upper, self.confidence = run._run.coverage
        self.proved, self.statement, self.method, self.assumptions = run._run.words

    @property
    def estimates(self) -> dict[str, Any]:
        """Everything that is estimated, as the command line prints it with ``--json``: classes, radius curve, global statement."""
        if self._estimates is None:
            self._estimates = json.loads(self._run._run.estimates(self._population))
        return self._estimates

    @property
    def gate(self) -> bool | None:
        """Whether the lower end reaches the required share."""
        return self._run.gate

    @property
    def classes(self) -> list[dict[str, Any]]:
        """The interval of each class; they hold all together."""
        return self.estimates["classes"]

    @property
    def curve(self) -> dict[str, Any] | None:
        """How the share falls with the radius, with a band that holds at all radii together."""
        return self.estimates["curve"]

    @property
    def population(self) -> dict[str, Any] | None:
        """The interval for the points of a finite population."""
        return self.estimates["population"]

    def to_pandas(self) -> Any:
        """A table with a row for each class."""
        import pandas

        return pandas.json_normalize(self.classes)

    def __repr__(self) -> str:
        ends = f"{100 * self.lower:.2f} % to {100 * self.upper:.2f} %"
        return f"<bartizan.Coverage {ends} with confidence {self.confidence:g} ({self.method})>"

    def __str__(self) -> str:
        return f"{self.statement}\nAssumed: {self.assumptions}."

    def _repr_html_(self) -> str:
        return _html.coverage(self)


class Check:
    """What the checker says of stored answers."""

    def __init__(self, found: dict[str, Any]):
        self.accepted: bool = found["accepted"]
        """Whether nothing was refused."""
        self.certified: int = found["certified"]
        """Certificates that were accepted."""
        self.falsified: int = found["falsified"]
        """Counterexamples that were replayed."""
        self.misclassified: int = found["misclassified"]
        """Points that are their own counterexample."""
        self.unknown: int = found["unknown"]
        """Points of which nothing is claimed."""
        self.refused: list[tuple[int, str]] = found["refused"]
        """Points whose answer was refused, with the reason."""
        self.figures: str = found["figures"]
        """What became of the figures that the store keeps."""

    @property
    def text(self) -> str:
        """All of it, in lines."""
        lines = [f"refused: point {index}: {reason}" for index, reason in self.refused]
        lines.append(f"figures: {self.figures}")
        lines.append(
            f"{self.certified} certified, {self.falsified} falsified and {self.misclassified} misclassified confirmed, "
            f"{self.unknown} unknown, {len(self.refused)} refused"
        )
        return "\n".join(lines)

    def __bool__(self) -> bool:
        return self.accepted

    def __repr__(self) -> str:
        return f"<bartizan.Check {'accepted' if self.accepted else 'refused'}: {self.text.splitlines()[-1]}>"

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return _html.check(self)


def _array(content: bytes, shape: tuple[int, ...]) -> Any:
    import numpy as np

    return np.frombuffer(content, dtype="<f8").reshape(shape)
