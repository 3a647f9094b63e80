"""Runs the scripts of examples/vnncomp as the competition does, over packs of queries, and compares with the expected verdicts.

    vnncomp.py SCRIPTS BINARY PACKS [--timeout SECONDS] [--families a,b] [--limit N] [--overhead]

PACKS is a folder as packs.py describes it. Every instance is prepared and run in a folder of its own, from which its results file is
read as the competition reads it: the first line is the verdict, the lines after a `sat` are a counterexample, which must have a
number for each input inside its bounds. A verdict that contradicts the expected one, an error, or an instance that takes longer than
its time limit makes the exit status 1. So do wrong arguments that are accepted, and processes or files that are left when a script is
ended. With --overhead, prints what the scripts take beyond the program itself. Only the standard library is used.
"""

import argparse
import gzip
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from packs import REFUSED, read

VERDICTS = {"sat", "unsat", "timeout", "unknown", "error"}
# How much longer than its time limit an instance may take, in seconds: for starting, ending and a busy machine.
PATIENCE = 1.0
# Numbers of a counterexample are rounded when they are written, and bounds when they are read.
TOLERANCE = 1e-6


def script(arguments, name, *words, folder):
    environment = dict(os.environ, BARTIZAN=str(arguments.binary.resolve()))
    return subprocess.Popen([arguments.scripts.resolve() / name, *map(str, words)], env=environment, cwd=folder,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def run(arguments, name, *words, folder):
    """Exit code, standard error and wall seconds of a script."""
    start = time.monotonic()
    process = script(arguments, name, *words, folder=folder)
    _, said = process.communicate(timeout=600)
    return process.returncode, said.strip(), time.monotonic() - start


def instances(arguments):
    """Family, model, property and expected verdict of every instance."""
    wanted = [name for name in arguments.families.split(",") if name]
    for path in sorted(arguments.packs.glob("*/instances.csv")):
        family = path.parent.resolve()
        if not wanted or family.name in wanted:
            rows = [row for row in read(family / "expected.csv") if row[2] != "verdict"]
            for model, query, verdict in rows[: arguments.limit or None]:
                yield family, family / model, family / query, verdict


def counterexample_complaint(lines, query):
    """What is wrong with the lines of a counterexample, if anything."""
    text = gzip.decompress(query.read_bytes()).decode() if query.suffix == ".gz" else query.read_text()
    inputs = len(re.findall(r"declare-(?:const|fun)\s+X_\d+", text))
    values = {name: float(value) for name, value in re.findall(r"\((\w+) (\S+?)\)", "\n".join(lines))}
    found = sum(name.startswith("X_") for name in values)
    if found != inputs or not any(name.startswith("Y_") for name in values):
        return f"a counterexample of {found} inputs for {inputs}"
    if "\n".join(lines).count("(") != len(values) + 1 or not lines[0].startswith("((X_0 ") or lines[-1][-2:] != "))":
        return "a counterexample in another form"
    # Bounds of the whole query only: those in disjunctions are not parsed here.
    for operator, name, bound in re.findall(r"\(assert \((<=|>=) (X_\d+) (\S+?)\)\)", text):
        distance = (values[name] - float(bound)) * (1 if operator == "<=" else -1)
        if distance > TOLERANCE * max(1.0, abs(float(bound))):
            return f"{name} = {values[name]} beyond {bound}"
    return None


def answer(arguments, instance, folder):
    """Verdict, wall seconds and complaint of an instance."""
    family, model, query, expected = instance
    copies = [folder / model.name, folder / query.name]
    for source, copy in zip((model, query), copies, strict=True):
        shutil.copy(source, copy)
    code, said, _ = run(arguments, "prepare_instance.sh", "v1", family.name, *copies, folder=folder)
    reason = REFUSED.get(family.name)
    if code != 0 or reason:
        return "refused", 0.0, None if code == 1 and reason and reason in said else f"prepare: {code}, {said}"
    results = folder / "out.txt"
    results.write_text("no_result_in_file\n")
    words = ("v1", family.name, *copies, results.name, arguments.timeout)
    code, said, seconds = run(arguments, "run_instance.sh", *words, folder=folder)
    verdict, *lines = results.read_text().splitlines()
    complaint = None
    if code != 0 or verdict not in VERDICTS or verdict == "error" or said:
        complaint = f"exit code {code}, first line {verdict}: {said}"
    elif {verdict, expected} == {"sat", "unsat"}:
        complaint = f"expected {expected}, found {verdict}"
    elif seconds > arguments.timeout + PATIENCE:
        complaint = f"{seconds:.1f} s of {arguments.timeout}"
    elif verdict == "sat":
        complaint = counterexample_complaint(lines, query)
    elif lines:
        complaint = f"{len(lines)} lines after {verdict}"
    left = sorted(path.name for path in folder.iterdir() if path not in (*copies, results))
    return verdict, seconds, complaint or (f"left {left}" if left else None)


def refusals(arguments, instance):
    """Complaints about wrong arguments that are accepted, and about files that are wrong and not called so."""
    _, model, query, _ = instance
    with tempfile.TemporaryDirectory() as folder:
        for name, words in [
            ("install_tool.sh", []), ("install_tool.sh", ["v2"]), ("prepare_instance.sh", ["v1", "c", model]),
            ("prepare_instance.sh", ["v2", "c", model, query]), ("prepare_instance.sh", ["v1", "c", model, "gone.vnnlib"]),
            ("prepare_instance.sh", ["v1", "c", query, query]), ("run_instance.sh", ["v1", "c", model, query, "out.txt"]),
            ("run_instance.sh", ["v2", "c", model, query, "out.txt", 5]),
            ("run_instance.sh", ["v1", "c", model, query, "gone/out.txt", 5]),
        ]:
            code, said, _ = run(arguments, name, *words, folder=folder)
            if code != 1 or "error: " not in said or os.listdir(folder):
                yield f"{name} {words}: exit code {code}, {said}, leaves {os.listdir(folder)}"
        code, said, _ = run(arguments, "run_instance.sh", "v1", "c", "gone.onnx", query, "out.txt", 5, folder=folder)
        found = pathlib.Path(folder, "out.txt").read_text()
        if (code, found) != (0, "error\n") or "gone.onnx" not in said:
            yield f"run_instance.sh with a model that is not there: exit code {code}, {found}, {said}"


def of_session(session):
    """The processes of a session that still run."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = path.read_text().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        if int(number) == session and state != "Z":
            found.append(path.parent.name)
    return found


def endings(arguments):
    """Complaints about what is left when the script of a long search is ended; a stand-in for bartizan runs for ever."""
    with tempfile.TemporaryDirectory() as folder:
        endless = pathlib.Path(folder, "endless")
        endless.write_text("#!/bin/sh\necho half an answer\nexec sleep 1000\n")
        endless.chmod(0o755)
        stand_in = argparse.Namespace(scripts=arguments.scripts, binary=endless)
        for name, kill, limit, expected in [
            ("time limit", None, 0.5, "timeout\n"), ("SIGTERM", signal.SIGTERM, 100, "timeout\n"),
            ("SIGKILL", signal.SIGKILL, 100, None),
        ]:
            results = pathlib.Path(folder, f"{name} of results.txt")
            process = script(stand_in, "run_instance.sh", "v1", "c", "m", "p", results, limit, folder=folder)
            time.sleep(0.5)
            if kill is not None:
                process.send_signal(kill)
            process.communicate(timeout=20)
            time.sleep(0.2)
            left = of_session(process.pid)
            found = results.read_text() if results.exists() else None
            if left or found != expected:
                yield f"{name}: processes {left}, results {found!r}"
            for pid in left:
                os.kill(int(pid), signal.SIGKILL)


def overhead(arguments, instance, times=20):
    """Median seconds of both scripts and of the program alone for an instance that is answered at once."""
    family, model, query, _ = instance
    seconds = {"prepare_instance.sh": [], "run_instance.sh": [], "bartizan verify": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            words = ("v1", family.name, model, query)
            seconds["prepare_instance.sh"].append(run(arguments, "prepare_instance.sh", *words, folder=folder)[2])
            seconds["run_instance.sh"].append(run(arguments, "run_instance.sh", *words, "out.txt", 60, folder=folder)[2])
            start = time.monotonic()
            subprocess.run([arguments.binary, "verify", model, query], capture_output=True)
            seconds["bartizan verify"].append(time.monotonic() - start)
    return ", ".join(f"{name} {1000 * statistics.median(found):.1f} ms" for name, found in seconds.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", type=pathlib.Path)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("packs", type=pathlib.Path)
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--families", default="")
    parser.add_argument("--limit", type=int, default=0, help="only the first N instances of each family")
    parser.add_argument("--overhead", action="store_true", help="measure what the scripts take themselves")
    arguments = parser.parse_args()
    complaints, counts = [], {}
    everything = list(instances(arguments))
    for instance in everything:
        with tempfile.TemporaryDirectory() as folder:
            verdict, seconds, complaint = answer(arguments, instance, pathlib.Path(folder))
        counts.setdefault(instance[0].name, []).append((verdict, seconds))
        if complaint:
            complaints.append(f"{instance[1]}, {instance[2]}: {complaint}")
    for family, answers in counts.items():
        verdicts = sorted({verdict for verdict, _ in answers})
        numbers = ", ".join(f"{sum(v == verdict for v, _ in answers)} {verdict}" for verdict in verdicts)
        print(f"{family:<20} {numbers}; {sum(seconds for _, seconds in answers):.1f} s")
    if everything:
        complaints += [*refusals(arguments, everything[0]), *endings(arguments)]
        if arguments.overhead:
            print(overhead(arguments, everything[0]))
    print(*complaints, sep="\n", end="\n" if complaints else "")
    print(f"{len(everything)} instances through the competition's scripts, {len(complaints)} complaints")
    sys.exit(1 if complaints or not everything else 0)


if __name__ == "__main__":
    main()
