"""A second checker of bartizan's certificates, written from ../FORMAT.md: slow, obvious and exact.

    python3 check.py MODEL PROPERTY CERTIFICATE
    python3 check.py --batch RESULTS.csv FOLDER [--most-relus N] [--most-bytes N] [--falsify]

The first form prints `verified`, `refused: REASON` or `error: REASON`, with exit codes 0, 1 and 2. The second checks every
certificate that a results file of `bartizan batch` names; models and properties are relative to FOLDER. Networks with more
than N ReLUs and longer certificates are left out, as are networks with operators that this checker does not know. With
--falsify, each certificate that was accepted is tried on a false property too, which must be refused. The exit code is 1 if
any answer is not as it should be, or if no certificate could be checked.
"""

import argparse
import csv
import gzip
import hashlib
import sys
import time
from functools import lru_cache
from pathlib import Path

import nnet_file
import onnx_file
import rules
import vnnlib
from errors import Refused, Unreadable
from false_claim import false_variant, with_property
from network import Relu

MOST_RELUS = 150
MOST_BYTES = 100_000
# A tree of 512 levels takes some 4 calls a level.
RECURSION = 5000


def unpacked(path):
    """The bytes of a file, which may be gzipped."""
    data = Path(path).read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


@lru_cache(maxsize=4)
def read_model(path):
    """The network of a file, and its digest."""
    data = unpacked(path)
    reader = nnet_file if str(path).removesuffix(".gz").endswith(".nnet") else onnx_file
    return reader.read(data), hashlib.sha256(data).digest()


def judged(model, property_file, certificate, falsify=False):
    """The answer for one certificate: verified, refused or error, and the reason."""
    try:
        network, digest = read_model(model)
        prop = vnnlib.read(unpacked(property_file).decode())
        data = Path(certificate).read_bytes()
        if falsify:
            prop = false_variant(network, prop)
            data = with_property(data, prop)
        rules.check(network, digest, prop, data)
        return "verified", ""
    except Refused as refused:
        return "refused", str(refused)
    except Unreadable as unreadable:
        return "error", str(unreadable)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        return "error", str(error)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # The readers do not look for everything that may be wrong with a damaged file.
        return "error", f"the files cannot be read ({type(error).__name__}: {error})"


def check_one(model, property_file, certificate):
    """The first form: prints the answer and returns the exit code."""
    answer, reason = judged(model, property_file, certificate)
    print(f"{answer}: {reason}" if reason else answer)
    return {"verified": 0, "refused": 1, "error": 2}[answer]


def check_batch(results, folder, options):
    """The second form: prints a line for each certificate, then counts, and returns the exit code."""
    counts = {"verified": 0, "refused": 0, "error": 0, "left out": 0, "accepted though false": 0}
    with open(results, newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["certificate"]]
    for row in rows:
        files = Path(folder) / row["onnx"], Path(folder) / row["vnnlib"], Path(row["certificate"])
        start = time.monotonic()
        answer, reason = "left out", "too large, or not supported"
        if is_small(files[0], files[2], options.most_relus, options.most_bytes):
            answer, reason = judged(*files)
        if answer == "verified" and options.falsify and judged(*files, falsify=True)[0] != "refused":
            answer = "accepted though false"
        counts[answer] += 1
        print(f"{answer:9} {time.monotonic() - start:7.2f} s  {files[2].name}  {reason}", flush=True)
    print(", ".join(f"{number} {answer}" for answer, number in counts.items()))
    return 0 if counts["verified"] and counts["verified"] + counts["left out"] == len(rows) else 1


def is_small(model, certificate, most_relus, most_bytes):
    """Whether a certificate can be checked within reasonable time."""
    if certificate.stat().st_size > most_bytes:
        return False
    try:
        network, _ = read_model(model)
    except Unreadable:
        return False
    return sum(value.size for value in network.values if isinstance(value, Relu)) <= most_relus


def main(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(description="Checks bartizan's certificates, slowly and exactly.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="MODEL PROPERTY CERTIFICATE")
    parser.add_argument("--batch", nargs=2, metavar=("RESULTS", "FOLDER"), help="check all certificates of a results file")
    parser.add_argument("--most-relus", type=int, default=MOST_RELUS, help="leave larger networks out")
    parser.add_argument("--most-bytes", type=int, default=MOST_BYTES, help="leave longer certificates out")
    parser.add_argument("--falsify", action="store_true", help="try false properties too, which must be refused")
    options = parser.parse_args(arguments)
    sys.setrecursionlimit(RECURSION)
    if options.batch and not options.files:
        return check_batch(*options.batch, options)
    if len(options.files) != 3 or options.batch:
        parser.error("give MODEL PROPERTY CERTIFICATE, or --batch")
    return check_one(*options.files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
