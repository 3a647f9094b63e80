"""Runs `bartizan batch` over packs of queries and compares the verdicts with the packs' expected ones.

    packs.py BINARY PACKS [--timeout SECONDS] [--families a,b] [--limit N] [--results DIR] [--checker BARTIZAN_CHECK]

PACKS is a folder with one folder a family, each with `instances.csv` (onnx,vnnlib,timeout) and `expected.csv`
(onnx,vnnlib,verdict; sat, unsat or unknown). A verdict that contradicts the expected one, an error or a crash makes
the exit status 1. Networks that bartizan refuses by design are listed in REFUSED with the reason that it must give.
With a checker, every "verified" must come with a certificate that the checker accepts from the files, in a process of its
own. Only the standard library is used.
"""

import argparse
import csv
import gzip
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

REFUSED = {"dist_shift": "Sigmoid"}
SAME = {"verified": "unsat", "violated": "sat"}


def read(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def run_family(arguments, family, folder):
    """Returns (rows of the results file, expected verdicts, wall seconds)."""
    instances = read(family / "instances.csv")
    expected = read(family / "expected.csv")
    if expected[0][2] == "verdict":
        expected = expected[1:]
    if arguments.limit:
        instances, expected = instances[: arguments.limit], expected[: arguments.limit]
    listed = folder / f"{family.name}-instances.csv"
    with open(listed, "w", newline="") as file:
        absolute = [[str(family / row[0]), str(family / row[1]), row[2]] for row in instances]
        csv.writer(file).writerows(absolute)
    results = folder / f"{family.name}.csv"
    command = [arguments.binary, "batch", str(listed), "--results", str(results), "--timeout", str(arguments.timeout)]
    if arguments.checker:
        command += ["--proofs", str(folder / f"{family.name}-proofs")]
    command += arguments.extra
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1, 2, 3):
        sys.exit(f"{family.name}: bartizan ended with status {done.returncode}: {done.stderr}")
    return read(results)[1:], [row[2] for row in expected], time.monotonic() - start


def judge(family, rows, expected):
    """Counts of the family, and complaints."""
    counts = dict.fromkeys(["sat", "unsat", "known sat", "known unsat", "wrong", "error", "new"], 0)
    complaints = []
    for row, truth in zip(rows, expected, strict=True):
        verdict, reason = row[2], row[6]
        if truth in ("sat", "unsat"):
            counts[f"known {truth}"] += 1
        if verdict == "error":
            counts["error"] += 1
            if REFUSED.get(family, "\0") not in reason:
                complaints.append(f"{row[0]}, {row[1]}: {reason}")
        elif verdict in SAME:
            if truth == "unknown":
                counts["new"] += 1
            elif SAME[verdict] != truth:
                counts["wrong"] += 1
                complaints.append(f"{row[0]}, {row[1]}: expected {truth}, found {verdict}")
            else:
                counts[truth] += 1
    return counts, complaints


def plain(path, folder):
    """The path of a file, or of its unpacked copy."""
    if not path.endswith(".gz"):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / pathlib.Path(path).name.removesuffix(".gz")
    if not copy.exists():
        copy.write_bytes(gzip.decompress(pathlib.Path(path).read_bytes()))
    return str(copy)


def check(checker, rows, folder):
    """Sizes of the certificates, seconds of search and check, and complaints."""
    sizes, search, complaints = [], 0.0, []
    start = time.monotonic()
    for row in rows:
        if row[2] != "verified":
            continue
        sizes.append(int(row[5]))
        search += float(row[3])
        command = [checker, plain(row[0], folder), plain(row[1], folder), row[4]]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0 or not done.stdout.startswith("verified"):
            complaints.append(f"{row[0]}, {row[1]}: {done.stdout.strip()}")
    return sizes, search, time.monotonic() - start, complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("packs", type=pathlib.Path)
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--families", default="")
    parser.add_argument("--limit", type=int, default=0, help="only the first N instances of each family")
    parser.add_argument("--results", type=pathlib.Path, help="keep the result files in this folder")
    parser.add_argument("--checker", help="bartizan-check: have every certificate checked by it")
    parser.add_argument("extra", nargs="*", help="further options of `batch`, after --")
    arguments = parser.parse_args()
    wanted = [name for name in arguments.families.split(",") if name]
    families = sorted(path.parent for path in arguments.packs.glob("*/instances.csv"))
    families = [family for family in families if not wanted or family.name in wanted]
    folder = arguments.results or pathlib.Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    complaints, total = [], 0
    print(f"{'family':<20} {'sat':>9} {'unsat':>9} {'new':>4} {'error':>6} {'wrong':>6} {'seconds':>8}")
    for family in families:
        rows, expected, seconds = run_family(arguments, family.resolve(), folder)
        counts, found = judge(family.name, rows, expected)
        complaints += found
        total += len(rows)
        sat, unsat = (f"{counts[v]}/{counts['known ' + v]}" for v in ("sat", "unsat"))
        print(
            f"{family.name:<20} {sat:>9} {unsat:>9} {counts['new']:>4} {counts['error']:>6} "
            f"{counts['wrong']:>6} {seconds:>8.1f}",
            flush=True,
        )
        if arguments.checker:
            sizes, search, seconds, found = check(arguments.checker, rows, folder / f"{family.name}-files")
            complaints += found
            if sizes:
                print(
                    f"    {len(sizes)} certificates, {len(found)} refused; bytes: median {statistics.median(sizes):.0f}, "
                    f"most {max(sizes)}; found in {search:.2f} s, read and checked in {seconds:.2f} s",
                    flush=True,
                )
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"{total} queries, {len(complaints)} complaints")
    sys.exit(1 if complaints or not total else 0)


if __name__ == "__main__":
    main()
