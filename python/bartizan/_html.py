"""Results as notebooks show them. Colours come from the notebook's own theme; a solid frame stands for what is proved, a dashed one for what is
estimated."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._results import Check, Coverage, Outcome, Run

#: Images have at most so many elements a side.
MOST_PIXELS = 256

PROVED = "border:1px solid;border-radius:4px;padding:.4em .8em;margin:.3em 0;max-width:60em"
ESTIMATED = PROVED.replace("solid", "dashed")


def outcome(found: Outcome) -> str:
    """The answer to one query."""
    lines = [f"<strong>{escape(found.verdict)}</strong> in {found.time_s:.3f} s"]
    if found.reason:
        lines.append(escape(found.reason))
    if found.certificate is not None:
        lines.append(f"certificate of {len(found.certificate)} bytes, accepted by the checker")
    if found.is_violated:
        lines.append(f"counterexample of class {found.predicted}, replayed by the checker")
        lines.append(picture(found.counterexample))
    return box("Proved" if found.is_verified or found.is_violated else "Nothing shown", lines)


def run(found: Run) -> str:
    """A run."""
    names = ("points", "certified", "falsified", "misclassified", "unknown", "unanswered")
    rows = [(name, found.counts[name]) for name in names]
    coverage_of = found.coverage
    return box("Proved", [escape(coverage_of.proved), table(("", "points"), rows)]) + coverage(coverage_of)


def coverage(found: Coverage) -> str:
    """An interval."""
    lines = [escape(found.statement), f"<small>{escape(found.method)}. Assumed: {escape(found.assumptions)}.</small>"]
    if found.gate is not None:
        lines.append(f"<strong>Gate {'met' if found.gate else 'not met'}</strong>")
    return box("Estimated", lines, ESTIMATED)


def check(found: Check) -> str:
    """What the checker says."""
    return box("Accepted" if found.accepted else "Refused", [escape(line) for line in found.text.splitlines()])


def box(title: str, lines: list[str], style: str = PROVED) -> str:
    """A frame with a title."""
    body = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div style="{style}"><small>{escape(title)}</small>{body}</div>'


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """A small table."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{lines}</table>"


def picture(array: Any) -> str:
    """A picture of a grey image; the numbers of something small; nothing else."""
    import numpy as np

    squeezed = np.squeeze(array)
    if squeezed.ndim == 2 and 4 <= min(squeezed.shape) and max(squeezed.shape) <= MOST_PIXELS:
        low, high = float(squeezed.min()), float(squeezed.max())
        levels = np.rint(255 * (squeezed - low) / ((high - low) or 1.0)).astype(int)
        height, width = levels.shape
        pixels = "".join(
            f'<rect x="{column}" y="{row}" width="1" height="1" fill="rgb({level},{level},{level})"/>'
            for row, line in enumerate(levels.tolist())
            for column, level in enumerate(line)
        )
        label = "counterexample"
        return (
            f'<svg role="img" aria-label="{label}" width="120" viewBox="0 0 {width} {height}" '
            f'shape-rendering="crispEdges">{pixels}</svg>'
        )
    if array.size <= 16:
        return escape(", ".join(f"{value:g}" for value in array.ravel().tolist()))
    return ""
