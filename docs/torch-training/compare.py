"""Compares what the same trainings have come to here and in PyTorch: python3 compare.py RUNS TORCH, as Markdown.

RUNS is a folder of `reidbench run --seeds N`, TORCH one of train.py. For Rank-1 and mAP it prints mean ± deviation
over the seeds of either side, their difference with Welch's interval of 95 %, the exact permutation test of the
difference (over all ways to divide the runs in two sides), and the difference that Welch's test would have found in
four of five such experiments at 5 %: less than that may be there unseen. Needs nothing but Python.
"""
import glob
import itertools
import json
import math
import os
import statistics
import sys


def student(t, freedom):
    """The probability that Student's t lies below t: the density's integral by Simpson's rule."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    steps = 2000
    ends = [(1 + (t * i / steps) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(steps + 1)]
    return 0.5 + scale * t / steps / 3 * (ends[0] + 4 * sum(ends[1:-1:2]) + 2 * sum(ends[2:-1:2]) + ends[-1])


def quantile(p, freedom):
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, freedom) < p else (low, middle)
    return low


def welch(a, b):
    """The difference of the means, half its interval of 95 %, and what is found in four of five experiments."""
    parts = [statistics.variance(x) / len(x) for x in (a, b)]
    error = math.sqrt(sum(parts))
    if error == 0:
        return statistics.mean(a) - statistics.mean(b), 0.0, 0.0
    freedom = sum(parts) ** 2 / sum(p * p / (len(x) - 1) for p, x in zip(parts, (a, b)))
    half = quantile(0.975, freedom) * error
    return statistics.mean(a) - statistics.mean(b), half, half + quantile(0.8, freedom) * error


def permuted(a, b):
    """The share of the ways to divide all runs that differ by as much as these do."""
    runs, observed = a + b, abs(sum(a) / len(a) - sum(b) / len(b))
    as_far = total = 0
    for chosen in itertools.combinations(range(len(runs)), len(a)):
        left = sum(runs[i] for i in chosen)
        far = abs(left / len(a) - (sum(runs) - left) / len(b))
        total, as_far = total + 1, as_far + (far >= observed - 1e-9)
    return as_far / total


def ours(folder):
    """{model: {quantity: values in percent}} of the runs that are done."""
    found = {}
    for file in sorted(glob.glob(os.path.join(folder, "*", "result.json"))):
        record = json.load(open(file))
        if record["status"] == "done":
            model = os.path.basename(os.path.dirname(file)).split("@")[0]
            add(found, model, 100 * record["final"]["rank1"], 100 * record["final"]["map"])
    return found


def torchs(folder):
    found = {}
    for file in sorted(glob.glob(os.path.join(folder, "*.json"))):
        run = json.load(open(file))
        add(found, run["architecture"], run["rank1"], run["map"])
    return found


def add(found, model, rank1, mean_precision):
    quantities = found.setdefault(model, {"Rank-1": [], "mAP": []})
    quantities["Rank-1"].append(rank1)
    quantities["mAP"].append(mean_precision)


def main(runs, torch):
    print("| network | | runs | reidbench | PyTorch | difference | permutation p | would be seen |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    here, there = ours(runs), torchs(torch)
    for model in (m for m in here if m in there):
        for quantity, a in here[model].items():
            b = there[model][quantity]
            if min(len(a), len(b)) < 2:
                continue
            difference, half, seen = welch(a, b)
            sides = [f"{statistics.mean(x):.1f} ± {statistics.stdev(x):.1f}" for x in (a, b)]
            cells = [model, quantity, f"{len(a)} + {len(b)}", *sides, f"{difference:+.1f} ± {half:.1f}",
                     f"{permuted(a, b):.2f}", f"{seen:.1f}"]
            print(f"| {' | '.join(cells)} |")


main(*sys.argv[1:])
