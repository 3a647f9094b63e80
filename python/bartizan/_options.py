"""Keyword arguments, put in order for the compiled half: numbers become decimal texts, which are exact where floats are not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from ._errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    #: A number; a text such as "8/255" is taken exactly.
    Number: TypeAlias = float | str
    #: One number, or several.
    Numbers: TypeAlias = float | str | Iterable[float | str] | NDArray[Any] | PathLike[str]


class WithinOptions(TypedDict, total=False):
    """Options of the question."""

    norm: Literal["linf", "l2", "l1"]
    """What the radius measures: the largest change, the Euclidean norm of the changes, or the sum of their sizes (default: linf)."""
    clip: tuple[Number, Number] | str | None
    """The range of valid values, in the units of the data."""
    mean: Numbers | None
    """The mean to subtract before the model: one number, one a channel, one an element, or a text file of numbers."""
    std: Numbers | None
    """The standard deviation to divide by before the model, likewise."""
    fix: str | int | Iterable[int | str] | None
    """Features that are held fixed, by number or name."""
    vary: str | int | Iterable[int | str] | None
    """Features of a table that vary although they hold integers only, or "all"."""


class SearchOptions(TypedDict, total=False):
    """Options of the search. None of them can make a wrong answer."""

    timeout: float
    """Time limit of a query, or of a point, in seconds (default: 60)."""
    method: Literal["ibp", "linear", "slopes", "lp", "branch", "auto"]
    """How far up the ladder of methods to go (default: auto, everything there is)."""
    split: Literal["auto", "inputs", "signs"]
    """What branch and bound splits (default: auto)."""
    attack: bool
    """Whether counterexamples are looked for (default: True)."""
    seed: int
    """Seed of everything random (default: 0)."""
    jobs: int | None
    """Number of threads (default: one for each core)."""


class CourseOptions(TypedDict, total=False):
    """Options of a run over a data set."""

    select: str | int | slice | range | Iterable[int] | None
    """Points to take: a slice, indices, or a text such as "0..200" (default: all)."""
    budget: float | None
    """Time limit of the whole run in seconds; what is not answered by then counts as unknown."""
    store: str | PathLike[str] | None
    """Keep every answer and its certificate in this SQLite file, as it comes."""
    resume: bool
    """Go on with the run that the store holds, if there is one; another question is refused."""
    shard: str | tuple[int, int] | None
    """Answer only part I of N, as "I/N" or (I, N); :func:`bartizan.merge` puts the stores together."""
    require: float | None
    """The share of correct and robust inputs that the lower end of the interval must reach (see ``gate``)."""
    confidence: float
    """Confidence of the interval (default: 0.95)."""
    sequential: bool
    """Answer the points in a drawn order and stop as soon as it is decided whether the required share is reached."""


class QueryOptions(WithinOptions, SearchOptions, total=False):
    """Options of a query."""


class RunOptions(QueryOptions, CourseOptions, total=False):
    """Options of a run."""


#: What options are by default.
WITHIN: dict[str, Any] = {"norm": "linf", "clip": None, "mean": None, "std": None, "fix": None, "vary": None}
SEARCH: dict[str, Any] = {
    "timeout": 60.0,
    "method": "auto",
    "split": "auto",
    "attack": True,
    "seed": 0,
    "jobs": None,
}
COURSE: dict[str, Any] = {
    "precision": None,
    "select": None,
    "budget": None,
    "store": None,
    "resume": False,
    "shard": None,
    "require": None,
    "confidence": 0.95,
    "sequential": False,
}


def split(options: Mapping[str, Any], *groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options of each group, with defaults; one that belongs to none is refused."""
    known = [name for group in groups for name in group]
    for name in options:
        if name not in known:
            raise TypeError(f"unexpected option {name!r}; there are {', '.join(known)}")
    return [{name: options.get(name, default) for name, default in group.items()} for group in groups]


def within(radius: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """What may change about a point."""
    clip = options["clip"]
    return {
        "norm": str(options["norm"]),
        "radius": numbers("radius", radius),
        "clip": None if clip is None else ends(clip),
        "mean": None if options["mean"] is None else numbers("mean", options["mean"]),
        "std": None if options["std"] is None else numbers("std", options["std"]),
        "fix": features(options["fix"]),
        "vary": features(options["vary"]),
    }


def search(options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the search."""
    return {**options, "timeout": float(options["timeout"]), "attack": bool(options["attack"])}


def course(options: Mapping[str, Any]) -> dict[str, Any]:
    """How a run goes about its points."""
    store = options["store"]
    return {
        **options,
        "select": selection(options["select"]),
        "store": None if store is None else os.fspath(store),
        "shard": shard(options["shard"]),
        "resume": bool(options["resume"]),
        "sequential": bool(options["sequential"]),
    }


def numbers(name: str, value: Any) -> str:
    """Numbers as decimal texts, separated by commas. A float stands for its shortest decimal: 0.1 is one tenth."""
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if isinstance(value, Iterable):
        flat = value.ravel() if hasattr(value, "ravel") else value
        return ",".join(number(name, item) for item in flat)
    return number(name, value)


def number(name: str, value: Any) -> str:
    """One number as a decimal text."""
    if isinstance(value, str):
        return value
    try:
        # The text of a NumPy scalar is the shortest one of its own type.
        return format(Decimal(str(value.item() if type(value).__name__ == "float64" else value)), "f")
    except ArithmeticError:
        raise InputError(f"{name}: expected a number such as 0.02 or '8/255', found {value!r}") from None


def ends(clip: Any) -> tuple[str, str]:
    """The ends of a range."""
    if isinstance(clip, str):
        clip = clip.split(",")
    try:
        lowest, highest = clip
    except (TypeError, ValueError):
        raise InputError(f"clip: expected two numbers such as (0, 1), found {clip!r}") from None
    return number("clip", lowest), number("clip", highest)


def features(value: Any) -> str | None:
    """Features by number or name."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return ",".join(str(item) for item in value)
    return str(value)


def selection(value: Any) -> str | None:
    """Which points are meant: a text as on the command line, a slice or a range without steps, or indices."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (slice, range)):
        if value.step not in (None, 1):
            return ",".join(str(index) for index in _indices(value))
        start = "" if value.start is None else value.start
        stop = "" if value.stop is None else value.stop
        return f"{start}..{stop}"
    if isinstance(value, Iterable):
        return ",".join(str(int(index)) for index in value)
    return str(int(value))


def _indices(value: slice | range) -> Iterable[int]:
    if isinstance(value, range):
        return value
    if value.stop is None:
        raise InputError(f"select: expected a slice with an end where it has a step, found {value!r}")
    return range(value.start or 0, value.stop, value.step)


def shard(value: Any) -> tuple[int, int] | None:
    """Part I of N."""
    if value is None:
        return None
    try:
        part, of = value.split("/") if isinstance(value, str) else value
        return int(part), int(of)
    except (TypeError, ValueError):
        raise InputError(f"shard: expected I/N with I from 1 to N, such as '3/16', found {value!r}") from None
