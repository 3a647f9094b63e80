"""The pytest plugin: robustness in test suites.

`assert_robust` proves robustness at given points. A test with the marker `robustness` returns a model with labelled
points, which are certified; it passes if every point is, or, with `at_least`, if the coverage interval's lower end
reaches that share:

    @pytest.mark.robustness(radius=0.03, clip=(0, 1), at_least=0.9)
    def test_digits():
        return "digits.onnx", X, y

Certificates, runs and reports are kept in a folder a test: in pytest's cache, or where `--bartizan-artefacts` says.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import shutil
import unittest
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ._assertions import RECORD, assert_robust, check_again

if TYPE_CHECKING:
    from ._results import Outcome

__all__ = ["assert_robust", "check_again"]

#: The marker's name.
MARKER = "robustness"

#: What the names of this plugin's properties begin with.
PREFIX = "bartizan."

#: The most characters of a test's name in the name of its folder; a part of its digest follows.
MOST_CHARACTERS = 80

#: Characters of a digest that keep folders apart.
DIGEST_CHARACTERS = 10

MARKER_HELP = (
    "robustness(radius, at_least=None, confidence=0.95, **options of bartizan.certify): the test returns (model, X, y), "
    "whose points are certified; it passes if all are, or if the coverage interval's lower end is at_least"
)

_RECORD = pytest.StashKey["Record"]()


class Record:
    """What is kept and told of a test."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._folder: Path | None = None
        self._verdicts: Counter[str] = Counter()
        self._calls, self._time = 0, 0.0

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options that a test gives, with those of the command line, which go before them."""
        return {**_defaults(), **given, **_overrides(self._item.config)}

    def folder(self) -> Path | None:
        """Where evidence is kept; none where it is not."""
        root = _root(self._item.config, is_needed=True)
        if root is not None and self._folder is None:
            self._folder = root / folder_name(self._item.nodeid)
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def add(self, outcomes: Sequence[Outcome]) -> int:
        """Note the outcomes of an assertion, and tell which one of the test it is, from 1."""
        self._calls += 1
        self._verdicts.update(outcome.verdict for outcome in outcomes)
        self._time += sum(outcome.time_s for outcome in outcomes)
        verdicts = {name: self._verdicts[name] for name in ("verified", "violated", "unknown", "timeout")}
        told: dict[str, Any] = {"queries": self._verdicts.total(), **verdicts, "query_time_s": round(self._time, 3)}
        folder = self.folder()
        self.tell(told if folder is None else {**told, "certificates": str(folder)})
        return self._calls

    def tell(self, properties: Mapping[str, Any]) -> None:
        """Have the test's report carry properties."""
        names = {PREFIX + name for name in properties}
        kept = [(name, value) for name, value in self._item.user_properties if name not in names]
        self._item.user_properties[:] = [*kept, *((PREFIX + name, value) for name, value in properties.items())]

    def forget(self) -> None:
        """Remove what an earlier run of the test has left."""
        root = _root(self._item.config, is_needed=False)
        if root is not None:
            shutil.rmtree(root / folder_name(self._item.nodeid), ignore_errors=True)
        others = [entry for entry in self._item.user_properties if not entry[0].startswith(PREFIX)]
        self._item.user_properties[:] = others


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line and of the configuration file."""
    group = parser.getgroup("bartizan", "robustness of neural networks (bartizan)")
    kept = "folder for certificates, runs and reports, with one folder a test"
    group.addoption("--bartizan-artefacts", metavar="DIR", help=kept)
    limit = "time limit of each point, whatever tests say"
    group.addoption("--bartizan-timeout", metavar="SECONDS", type=_seconds, help=limit)
    group.addoption("--bartizan-jobs", metavar="N", type=_threads, help="number of threads, whatever tests say")
    parser.addini("bartizan_artefacts", "folder for certificates, runs and reports, relative to the root folder")


def _seconds(text: str) -> float:
    import argparse

    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds from 0, found {text!r}")
    return seconds


def _threads(text: str) -> int:
    import argparse

    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected at least one thread, found {text!r}")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER_HELP)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse wrong markers before anything runs."""
    for item in items:
        if item.get_closest_marker(MARKER) is not None:
            _check(item)


def _check(item: pytest.Item) -> None:
    from ._robustness_test import UsageError, check_options

    try:
        options = _options(item)
        check_options(options)
        if not isinstance(item, pytest.Function) or _is_unittest(item):
            expected = "a test function or a method of a plain class"
            raise UsageError(f"expected {expected}, found one that pytest does not call itself")
        if inspect.iscoroutinefunction(item.obj) or inspect.isasyncgenfunction(item.obj):
            raise UsageError("expected a plain function, found an async one: run what must be awaited in a fixture")
    except UsageError as error:
        raise pytest.UsageError(f"{item.nodeid}: marker {MARKER}: {error}") from None


def _is_unittest(item: pytest.Function) -> bool:
    return item.cls is not None and issubclass(item.cls, unittest.TestCase)


def _options(item: pytest.Item) -> dict[str, Any]:
    """The options of all markers of a test: the function's go before its class's, and these before its module's."""
    from ._robustness_test import UsageError

    options: dict[str, Any] = {}
    for marker in item.iter_markers(MARKER):
        if marker.args:
            found = ", ".join(map(repr, marker.args))
            raise UsageError(f"expected options by name, such as radius=0.02, found {found}")
        options = {**marker.kwargs, **options}
    return options


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a test's record; what an earlier run has left goes."""
    item.stash[_RECORD] = Record(item)
    item.stash[_RECORD].forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let assertions know which test they belong to."""
    token = RECORD.set(item.stash.get(_RECORD, None))
    try:
        return (yield)
    finally:
        RECORD.reset(token)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a test with the marker, certify what it returns, and judge it."""
    __tracebackhide__ = True
    if pyfuncitem.get_closest_marker(MARKER) is None:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    returned = pyfuncitem.obj(**arguments)
    if inspect.isawaitable(returned):
        getattr(returned, "close", lambda: None)()
        pytest.fail(f"marker {MARKER}: expected a plain function, found an async one", pytrace=False)
    _judge(pyfuncitem, returned)
    return True


def _judge(item: pytest.Function, returned: Any) -> None:
    from . import _robustness_test

    __tracebackhide__ = True
    record = item.stash[_RECORD]
    try:
        judged = _robustness_test.judge(returned, _options(item), record)
    except _robustness_test.UsageError as error:
        pytest.fail(f"marker {MARKER}: {error}", pytrace=False)
    record.tell(_robustness_test.properties(judged))
    item.add_report_section("call", MARKER, judged.run.summary())
    if not judged.is_met:
        pytest.fail(_robustness_test.failure(judged), pytrace=False)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List what was shown, test by test."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports if _is_told(report)]
    if not reports or terminalreporter.verbosity < 0:
        return
    terminalreporter.section(MARKER, sep="=")
    for report in sorted(reports, key=lambda report: report.nodeid):
        for line in summary(report):
            terminalreporter.write_line(line)


def _is_told(report: Any) -> bool:
    properties = getattr(report, "user_properties", ())
    return getattr(report, "when", None) == "call" and any(name.startswith(PREFIX) for name, _ in properties)


def summary(report: pytest.TestReport) -> list[str]:
    """What a test has shown, in a line or two."""
    from ._robustness_test import counts_of, interval_of

    found: dict[str, Any] = {
        name.removeprefix(PREFIX): value for name, value in report.user_properties if name.startswith(PREFIX)
    }
    lines = []
    if "points" in found:
        interval = interval_of(found["lower"], found["upper"], found["confidence"])
        lines.append(f"{counts_of(found)}; {interval}, required {found['at_least']}; {found['time_s']:.2f} s")
    if "queries" in found:
        verdicts = ", ".join(f"{found[name]} {name}" for name in ("verified", "violated", "unknown", "timeout"))
        lines.append(f"{found['queries']} asserted: {verdicts}; {found['query_time_s']:.2f} s")
    return [f"{report.outcome.upper()} {report.nodeid}", *(f"  {line}" for line in lines)]


def _overrides(config: pytest.Config) -> dict[str, Any]:
    """Options that go before those of tests."""
    given = {"timeout": config.getoption("bartizan_timeout"), "jobs": config.getoption("bartizan_jobs")}
    return {name: value for name, value in given.items() if value is not None}


def _defaults() -> dict[str, Any]:
    """Options where nobody says otherwise: processes of pytest-xdist share the cores."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return {} if workers < 2 else {"jobs": max(1, (os.cpu_count() or 1) // workers)}


def _root(config: pytest.Config, is_needed: bool) -> Path | None:
    """The folder of all tests' artefacts; none where they are not kept. In the cache it is made where it is needed."""
    given = config.getoption("bartizan_artefacts")
    if given:
        return config.invocation_params.dir / given
    stated = config.getini("bartizan_artefacts")
    if stated:
        return config.rootpath / stated
    if not hasattr(config, "cache"):
        return None
    return config.cache.mkdir("bartizan") if is_needed else _cache(config)


def _cache(config: pytest.Config) -> Path:
    """Where `config.cache.mkdir` would make the folder."""
    folder = os.path.expanduser(os.path.expandvars(config.getini("cache_dir")))
    return config.rootpath / folder / "d" / "bartizan"


def folder_name(nodeid: str) -> str:
    """A name for a test's folder: readable, safe in any file system, and never that of another test."""
    digest = hashlib.sha256(nodeid.encode()).hexdigest()[:DIGEST_CHARACTERS]
    readable = re.sub(r"[^A-Za-z0-9_.=]+", "-", nodeid)[-MOST_CHARACTERS:].strip("-.")
    return f"{readable}-{digest}"
