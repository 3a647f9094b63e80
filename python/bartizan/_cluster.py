"""Runs whose points are answered in other processes: what :mod:`bartizan.ray` builds on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import _bartizan, _data
from ._errors import InputError
from ._network import model_bytes
from ._results import Run

#: Points of a task, where nobody says otherwise.
POINTS = 256


@dataclass(frozen=True)
class Task:
    """Some points to be answered; everything that a worker needs but the model."""

    parts: tuple[list[int], list[int], list[int], bytes, list[int]]
    """Places in the data set, positions of those with an answer, shape of one, elements, labels."""
    model: str
    """Name of the model, whose bytes come another way."""
    semantics: str
    """What is meant by its outputs."""
    within: dict[str, Any]
    search: dict[str, Any]
    precision: float | None

    @property
    def indices(self) -> list[int]:
        """Places of the points in the data set."""
        return self.parts[0]

    @property
    def open(self) -> list[int]:
        """Those of them that have no answer yet."""
        answered = set(self.parts[1])
        return [index for place, index in enumerate(self.parts[0]) if place not in answered]


class Plan:
    """The driver's side of a run: gives out tasks, takes answers in, keeps the store. One at a time has a store."""

    def __init__(
        self, model: Any, X: Any, y: Any = None, *, radius: Any, label_column: str | None = None, **options: Any
    ) -> None:
        network, points, within, search, course = _data.asked(model, (X, y, label_column), radius, options)
        self.model_bytes = model_bytes(network)
        """The bytes of the model, which workers need."""
        self._model, self._semantics = network.name, network.semantics
        self._search, self._precision = search, course["precision"]
        self._plan = _bartizan.Plan(network._network, points, within, search, course)
        # What depends on the data set as a whole, workers are told.
        self._within = {**within, "fix": self._plan.fixed, "vary": "all"}

    @property
    def open(self) -> int:
        """Points without an answer."""
        return self._plan.open

    @property
    def asked(self) -> int:
        """Points that the run is about."""
        return self._plan.asked

    def blocks(self, points: int | None = None) -> list[list[int]]:
        """The places of the points of each task of about so many points, in which at least one has no answer."""
        if points is not None and points < 1:
            raise InputError(f"points: expected at least one point a task, found {points}")
        return self._plan.blocks(points or POINTS)

    def task(self, block: list[int]) -> Task:
        """The task of a block."""
        return Task(self._plan.task(block), self._model, self._semantics, self._within, self._search, self._precision)

    def tasks(self, points: int | None = None) -> list[Task]:
        """All tasks at once; of a large data set, better one after the other (:meth:`blocks`, :meth:`task`)."""
        return [self.task(block) for block in self.blocks(points)]

    def absorb(self, answers: Any) -> int:
        """Commits the answers of a task, and tells how many of them are new."""
        return self._plan.absorb(answers)

    def conclude(self) -> Run:
        """Writes down what the points add up to and ends. A run in which points have no answer can be resumed."""
        return Run(self._plan.conclude())


def answer(model: bytes, task: Task, *, jobs: int = 1) -> Any:
    """Answers a task: something for :meth:`Plan.absorb` that may be sent anywhere."""
    network = _network(model, task.model, task.semantics)
    search = {**task.search, "jobs": jobs}
    return _bartizan.answer(network, task.parts, (task.within, search, task.precision))


@lru_cache(maxsize=1)
def _network(model: bytes, name: str, semantics: str) -> _bartizan.Network:
    """The model of the last task, which most often is that of the next one."""
    return _bartizan.Network.of_bytes(model, name).under(semantics)
