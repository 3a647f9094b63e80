"""tram: scores four commands of a tram that comes up to a stop; fits a formula, given below.

Inputs: distance to the stop s [m] in [0, 250], speed v [m/s] in [0, 18], gradient g [per mille] in [-60, 60] (positive
uphill), coaches n in {1, 2, 3}, wet rails w in {0, 1}. Command k asks for an acceleration a_k [m/s^2]; with
    grip           1 - 0.3 w where it brakes, 1.2 - 0.2 n where it drives (one motor coach pulls all)
    acceleration   e_k = grip a_k - 9.81 g / 1000
it leads, kept for T = 4 s, to
    speed          v' = max(0, v + e_k T)
    distance left  s' = s - (v + v') T / 2
    wanted speed   min(16, sqrt(2 b max(0, s'))), what a braking of b = 0.9 (1 - 0.3 w) can still stop
and its score is minus the cost
    |v' - wanted speed| / 5 + max(0, -s') / 10 + |a_k| / 10.
The command with the highest score is given.
"""

from decimal import Decimal

import jax
import numpy as np

from . import layers, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

COMMANDS = np.array([-2.5, -1.0, 0.0, 0.9])  # m/s^2: brake hard, brake, coast, drive
HORIZON = 4.0
GRAVITY = 9.81
TOP_SPEED = 16.0
LOWER, UPPER = np.array([0.0, 0.0, -60.0, 1.0, 0.0]), np.array([250.0, 18.0, 60.0, 3.0, 1.0])
FEATURES = ["distance", "speed", "gradient", "coaches", "wet"]
WHOLE = (3, 4)  # the columns that hold integers only
SIZES = [5, 24, 24, 4]
SEED = 7
EPOCHS = 100
STATES = 20000  # drawn uniformly for training
POINTS = 300  # in data.csv


def scores(states):
    s, v, g, n, w = (states[:, i : i + 1] for i in range(5))
    grip = np.where(COMMANDS < 0, 1 - 0.3 * w, 1.2 - 0.2 * n)
    reached = np.maximum(0, v + (grip * COMMANDS - GRAVITY * g / 1000) * HORIZON)
    left = s - (v + reached) * HORIZON / 2
    wanted = np.minimum(TOP_SPEED, np.sqrt(2 * 0.9 * (1 - 0.3 * w) * np.maximum(0, left)))
    return -(np.abs(reached - wanted) / 5 + np.maximum(0, -left) / 10 + np.abs(COMMANDS) / 10)


def build(folder):
    random = np.random.default_rng(SEED)
    states = _draw(random, STATES)
    params = _train(_scaled(states), scores(states).astype(np.float32))
    _export(folder / "model.onnx", params)
    points = np.round(_draw(random, POINTS), 1)
    labels = scores(points).argmax(1)
    _save_csv(folder / "data.csv", points, labels)
    publish.save_pairs(folder, LOWER, UPPER, points, SEED)
    publish.save_properties(folder, _properties(points, labels), 5, 4)
    return publish.accuracy(folder, points, labels)


def _draw(random, count):
    """States, uniform in the ranges; the last two columns take their whole numbers with equal odds."""
    states = random.uniform(LOWER, UPPER, (count, 5))
    for i in WHOLE:
        states[:, i] = random.integers(LOWER[i], UPPER[i], count, endpoint=True)
    return states


def _scaled(states):
    """To [-1, 1], as the first two nodes of the network do."""
    return ((states - _centre()) / _reach()).astype(np.float32)


def _centre():
    return (LOWER + UPPER) / 2


def _reach():
    return (UPPER - LOWER) / 2


def _train(x, y):
    keys = jax.random.split(jax.random.key(SEED), len(SIZES) - 1)
    params = [layers.dense_init(key, *pair) for key, pair in zip(keys, zip(SIZES, SIZES[1:]))]
    return training.fit(_loss, params, (x, y), epochs=EPOCHS, batch=200, rate=5e-3, seed=SEED)


def _loss(params, rows, *_):
    x, y = rows
    return ((_forward(params, x) - y) ** 2).mean()


def _forward(params, x):
    for p in params[:-1]:
        x = jax.nn.relu(layers.dense(p, x))
    return layers.dense(params[-1], x)


def _save_csv(path, points, labels):
    lines = [",".join([*FEATURES, "label"])]
    lines += [",".join([*_cells(row), str(y)]) for row, y in zip(points, labels)]
    path.write_text("\n".join(lines) + "\n")


def _cells(row):
    return [str(int(v)) if i in WHOLE else repr(float(v)) for i, v in enumerate(row)]


def _export(path, params):
    """The scaling stays in the graph, as Sub and Div; then Gemm without attributes, typed weights."""
    g = Graph(Style(opset=15, ir=8, weights="typed", batch="rows"))
    g.add("Sub", ["state", g.weight("centre", _centre())], "centred")
    value = g.add("Div", ["centred", g.weight("reach", _reach())], "scaled")
    for i, p in enumerate(params, 1):
        last = i == len(params)
        weights = [g.weight(f"kernel{i}", p["w"]), g.weight(f"bias{i}", p["b"])]
        value = g.add("Gemm", [value, *weights], "scores" if last else f"dense{i}")
        value = value if last else g.add("Relu", [value], f"relu{i}")
    g.save(path, "tram", [5], [4], ("state", "scores"))


def _properties(points, labels):
    return _robustness(points, labels) + _commands() + _scores() + _constrained()


UNIT = ("5", "0.5", "5", "0", "0")  # m, m/s and per mille; coaches and rails stay as they are


def _robustness(points, labels):
    """Around points of data.csv, `times` the unit in each direction."""

    def around(i, times, scientific=False, zipped=False):
        centre = [Decimal(f"{v:.1f}") for v in points[i]]
        columns = zip(centre, UNIT, LOWER, UPPER)
        box = [queries.ball([c], Decimal(times) * Decimal(u), int(lo), int(hi))[0] for c, u, lo, hi in columns]
        comment = f"Command {labels[i]} stays best within {times} times (5 m, 0.5 m/s, 5 per mille) of a state."
        body = queries.box_lines(box, scientific) + _another_wins(labels[i])
        return Query(f"robust_{i}_t{times}", comment, body, zipped)

    made = [(1, "1"), (6, "1"), (7, "2"), (8, "0.5"), (9, "3")]
    return [around(i, t) for i, t in made] + [around(10, "2", scientific=True), around(11, "2", zipped=True)]


def _region(distance, speed, gradient, coaches="2", wet="0"):
    """A range is a pair; the number of coaches and the state of the rails may be held fixed at one value instead."""
    last = [(v, v) if isinstance(v, str) else v for v in (coaches, wet)]
    return queries.box_lines([distance, speed, gradient, *last])


def _another_wins(k):
    return queries.another_wins(k, len(COMMANDS))


def _never(k):
    """Command k has the highest score: a conjunction."""
    return [f"(assert (>= Y_{k} Y_{j}))" for j in range(len(COMMANDS)) if j != k]


ANY_COACHES, ANY_RAILS = ("1", "3"), ("0", "1")
HILLS, LEVEL = ("-60", "60"), ("-5", "5")


def _commands():
    far = (("200", "250"), ("0", "10"), ("-10", "10"))
    close = (("0", "20"), ("10", "18"), HILLS, ANY_COACHES, ANY_RAILS)
    near = (("5", "40"), ("8", "18"), HILLS, ANY_COACHES, ANY_RAILS)
    slope = (("100", "250"), ("14", "18"), ("-60", "-40"), ANY_COACHES, ANY_RAILS)
    approach = (("60", "160"), ("8", "16"), ("-20", "20"))
    return [
        Query("far_drives", "Far away on level rails: drive.", _region(*far) + _another_wins(3)),
        Query("close_brakes_hard", "Close and fast, in any weather: brake hard.", _region(*close) + _another_wins(0)),
        Query("near_never_drives", "Near and fast: driving is never best.", _region(*near) + _never(3)),
        Query("near_brakes_hard", "Near and fast: brake hard.", _region(*near) + _another_wins(0)),
        Query("downhill_never_drives", "Fast downhill: driving is never best.", _region(*slope) + _never(3)),
        Query("approach_brakes", "On the approach, dry: brake.", _region(*approach) + _another_wins(1)),
        Query("approach_brakes_wet", "On the approach, wet: brake.", _region(*approach, "2", "1") + _another_wins(1)),
        Query(
            "level_brakes",
            "On level rails, 60 to 80 m away at 11 to 12 m/s: brake.",
            _region(("60", "80"), ("11", "12"), LEVEL) + _another_wins(1),
        ),
    ]


def _scores():
    road = _region(("50", "250"), ("0", "12"), ("-20", "20"))
    peak = "No score exceeds {} with two coaches on dry rails, at least 50 m away and not above 12 m/s."

    def exceeds(limit):
        return queries.any_of(f"(>= Y_{k} {limit})" for k in range(len(COMMANDS)))

    return [
        Query("peak_holds", peak.format("0.05"), road + exceeds("0.05")),
        Query("peak_fails", peak.format("0"), road + exceeds("0.0")),
        Query("lead_fails", "Driving leads coasting by at most 0.6 there.", road + ["(assert (>= (- Y_3 Y_2) 0.6))"]),
        Query(
            "lead_holds",
            "Twice the score of driving, less that of coasting, stays below 0.6 there.",
            road + ["(assert (<= 0.6 (- (* 2.0 Y_3) Y_2)))"],
        ),
    ]


def _constrained():
    """Regions that are no boxes: the distance is bounded by the speed."""
    road = _region(("0", "120"), ("6", "18"), LEVEL, ANY_COACHES, ANY_RAILS)
    late, later = (f"(assert (<= (+ X_0 (* {seconds} X_1)) 0.0))" for seconds in ("-4.0", "-3.0"))
    early = "(assert (>= (+ X_0 (* -8.0 X_1)) 0.0))"
    return [
        Query("late_never_drives", "The stop less than 4 s away: driving is never best.", road + [late] + _never(3)),
        Query("late_never_coasts", "The stop less than 3 s away: coasting is never best.", road + [later] + _never(2)),
        Query("early_never_hard", "The stop over 8 s away: braking hard is never best.", road + [early] + _never(0)),
    ]
