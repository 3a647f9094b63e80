"""What a failing test says of a point: the counterexample, what changed, and how to see it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import _options

#: The most elements of a point that are shown one by one.
MOST_ELEMENTS = 8

#: The most elements of a point that are written into a Python call.
MOST_LITERAL = 16

#: Decimals to which changes are compared, as shares of the largest.
DECIMALS = 5

#: Changes of no more than this, next to the point's largest element, come from rounding the point to binary32.
HARDLY = 1e-7

#: Width of the names before the values.
WIDTH = 11


@dataclass(frozen=True)
class Question:
    """What was asked of a point."""

    network: Any
    """The network."""
    point: Any
    """The point in the units of the data, as it was given."""
    label: int
    """The class that it should have."""
    radius: Any
    """The radius, as it was given."""
    options: Mapping[str, Any]
    """Options that were given."""


@dataclass(frozen=True)
class Kept:
    """Where a point was written down."""

    point: Path
    """An `.npz` file with the arrays `x` and `y`, of one point."""
    model: str | None
    """The model's file."""


def row(name: str, value: str) -> str:
    """A named value."""
    return f"{name:<{WIDTH}} {value}".rstrip()


def within(radius: Any, options: Mapping[str, Any]) -> str:
    """The inputs that a question is about: `0.05 in linf, clipped to 0,1`."""
    text = _options.numbers("radius", radius)
    size = text if "," not in text else f"{text.count(',') + 1} numbers"
    clip = options.get("clip")
    ends = "" if clip is None else f", clipped to {','.join(_options.ends(clip))}"
    return f"{size} in {options.get('norm', 'linf')}{ends}"


def class_name(network: Any, index: int) -> str:
    """A class by index, and by name where the model has names."""
    names = getattr(network, "class_names", None)
    return str(index) if names is None else f"{index} ({names[index]})"


def counterexample(question: Question, found: Any, outputs: Any) -> list[str]:
    """What a counterexample (network input) shows."""
    import numpy as np

    network, label = question.network, question.label
    outputs = np.asarray(outputs, dtype=float).ravel()
    rival = rival_of(outputs, label)
    margin = float(outputs[rival] - outputs[label])
    by = "as much (a tie is a counterexample)" if margin == 0 else f"{margin:.6g} more"
    values = f"output {rival} is {outputs[rival]:.6g}, output {label} is {outputs[label]:.6g}: {by}"
    gets = f"{class_name(network, label)} expected; the counterexample gets {class_name(network, rival)}"
    return [row("class", gets), row("margin", values), *changes(question, found)]


def rival_of(outputs: Any, label: int) -> int:
    """The class other than the label whose output is the largest."""
    order = sorted(range(len(outputs)), key=lambda index: -outputs[index])
    return next(index for index in order if index != label)


def changes(question: Question, found: Any) -> list[str]:
    """The elements of a point that change most, in the units of the data; all of a small point."""
    import numpy as np

    before = np.asarray(question.point, dtype=float)
    after = raw(np.asarray(found, dtype=float).reshape(before.shape), question.options)
    size = np.abs(after - before).ravel()
    changed = int((size > 0).sum())
    if size.max(initial=0) <= HARDLY * max(1.0, float(np.abs(before).max(initial=0))):
        return [row("changed", "nothing to speak of: the counterexample is the point itself, but for rounding")]
    # Changes by the whole radius differ in their last bits, which is no reason to leave the order of the elements.
    size = np.round(size / size.max(), DECIMALS)
    is_small = before.size <= MOST_ELEMENTS
    order = np.arange(before.size) if is_small else np.argsort(-size, kind="stable")[: min(MOST_ELEMENTS, changed)]
    lines = [row("changed", f"{'element':<12} {'from':>12} {'to':>12}")]
    for place in order:
        values = f"{before.flat[place]:>12.6g} {after.flat[place]:>12.6g}"
        lines.append(row("", f"{_element(int(place), before.shape):<12} {values}"))
    rest = changed - len(order)
    return lines if rest <= 0 else [*lines, row("", f"and {rest} more elements, which change less")]


def _element(place: int, shape: tuple[int, ...]) -> str:
    import numpy as np

    sides = [int(side) for side in np.unravel_index(place, shape)] if shape else []
    return str(sides[0]) if len(sides) == 1 else str(sides)


def raw(values: Any, options: Mapping[str, Any]) -> Any:
    """Network inputs in the units of the data: mean and standard deviation undone."""
    deviation, mean = (_factor(name, options.get(name), values.shape) for name in ("std", "mean"))
    values = values if deviation is None else values * deviation
    return values if mean is None else values + mean


def _factor(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    """One number, one a channel, or one an element, so that it fits points of a shape."""
    import numpy as np

    if value is None:
        return None
    text = _options.numbers(name, value)
    try:
        numbers = _numbers(text)
    except ValueError:
        numbers = _numbers(Path(text).read_text(encoding="utf-8"))
    if numbers.size == 1:
        return numbers[0]
    is_channels = len(shape) > 1 and numbers.size == shape[0] and numbers.size != np.prod(shape)
    return numbers.reshape((-1,) + (1,) * (len(shape) - 1) if is_channels else shape)


def _numbers(text: str) -> Any:
    """Numbers or fractions with commas or blanks between them."""
    import numpy as np

    return np.array([float(Fraction(part)) for part in re.split(r"[,\s]+", text.strip(", \n"))])


def again(question: Question, kept: Kept | None) -> list[str]:
    """How to ask the question again, from Python and from the command line."""
    place = shown(kept.point) if kept else "point.npz"
    calls = [] if kept else [f"numpy.savez({place!r}, x=[{_literal(question.point)}], y=[{question.label}])"]
    command = ["bartizan", "certify", (kept and kept.model) or _model(question.network) or "model.onnx"]
    command += ["--data", place, "--radius", _options.numbers("radius", question.radius), *arguments(question.options)]
    if semantics_of(question.network) != "real":
        command += ["--semantics", semantics_of(question.network)]
    first, *rest = [python_call(question, kept), *calls, shlex.join(command)]
    return [row("reproduce", first), *(row("", line) for line in rest)]


def python_call(question: Question, kept: Kept | None, function: str = "bartizan.verify") -> str:
    """The Python call that asks the question."""
    model = (kept and kept.model) or _model(question.network)
    point = f"numpy.load({shown(kept.point)!r})['x'][0]" if kept else _literal(question.point)
    names = question.network.class_names if model is None else None
    label = question.label if names is None else names[question.label]
    options = [("radius", _plain(question.radius)), ("label", label)]
    options += [(name, _plain(value)) for name, value in question.options.items()]
    named = ", ".join(f"{name}={value!r}" for name, value in options)
    called = "model" if model is None else repr(model)
    if semantics_of(question.network) != "real":
        called = f"bartizan.load({called}).under({semantics_of(question.network)!r})"
    return f"{function}({called}, {point}, {named})"


def semantics_of(network: Any) -> str:
    """What is meant by the outputs of a network."""
    return str(getattr(network, "semantics", "real"))


def arguments(options: Mapping[str, Any]) -> list[str]:
    """Options as the command line takes them."""
    found = []
    for name, value in options.items():
        if value is None or name == "jobs":
            continue
        if name == "attack":
            found += [] if value else ["--no-attack"]
        elif name == "clip":
            found += ["--clip", ",".join(_options.ends(value))]
        elif name in ("mean", "std"):
            found += [f"--{name}", _options.numbers(name, value)]
        elif name in ("fix", "vary"):
            found += [f"--{name}", str(_options.features(value))]
        else:
            found += [f"--{name}", str(value)]
    return found


def _model(network: Any) -> str | None:
    """The network's file, where it was read from one."""
    return network.name if Path(network.name).is_file() else None


def shown(path: Path) -> str:
    """A path as it is shown: from the working folder where it lies in it."""
    folder = Path.cwd()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def model_file(network: Any, folder: Path) -> str | None:
    """The network's file; one in the folder where it was read from none."""
    from ._network import model_bytes

    if _model(network) is not None:
        return network.name
    path = folder / "model.onnx"
    path.write_bytes(model_bytes(network))
    return shown(path)


def texts(question: Question) -> dict[str, Any]:
    """Radius and options so that they survive JSON."""
    options = dict(question.options)
    for name in ("mean", "std"):
        if options.get(name) is not None:
            options[name] = _options.numbers(name, options[name])
    for name in ("fix", "vary"):
        options[name] = _options.features(options.get(name))
    if options.get("clip") is not None:
        options["clip"] = list(_options.ends(options["clip"]))
    given = {name: value for name, value in options.items() if value is not None}
    return {"radius": _options.numbers("radius", question.radius), "options": given}


def _literal(point: Any) -> str:
    import numpy as np

    array = np.asarray(point)
    return repr(array.tolist()) if array.size <= MOST_LITERAL else "x"


def _plain(value: Any) -> Any:
    """A value whose `repr` is Python that stands for itself."""
    return value.tolist() if hasattr(value, "tolist") else value


def listed(lines: Iterable[str], indent: str = "  ") -> str:
    """Lines as an indented block."""
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)
