"""What a triplet envelope is worth in a network: edges, time, memory with it and without.

    python bench/envelope_layers.py [--threads N] [--rounds N] [--output DIR] [--write-docs]

On water and copper: layers that multiply features and harmonics on every edge, in torch;
the default MLANet by its compiled kernel; then many limits and radii of the envelope. What
is compared is timed in turn, ratios are medians over rounds. Each part is kept in DIR;
remove it to measure anew.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import keeping
import machine
import pages
from pruning import layer_costs, layer_settings
from pruning.layer_costs import Subject, ratio
from pruning.layer_settings import DEFAULT, LIMITS, NETWORKS, NONE, RADII, USUAL, WATER

from trimpot.networks.mlanet import MLANetSettings

CUTOFF, LONG = 6.0, 8.0
FASTER, LESS = 2.0, 3.0
"""Targets: times less time and memory of edge products."""

QUICK = 5
"""Times as many rounds where calls are short."""

PARTS = ("products", "mlanet", "choices")


@dataclass(frozen=True)
class Options:
    """How to measure."""

    rounds: int
    threads: int
    output: Path

    def kept(self, name: str, make) -> dict:
        """Return a part of the results; measure it if DIR has none."""

        def measure(_: Path) -> dict:
            with machine.Neighbours() as beside:
                found = make()
            return {"found": found, "others": beside.others}

        settings = asdict(MLANetSettings()), LIMITS, RADII, USUAL
        key = keeping.key(*settings, self.rounds, self.threads)
        return keeping.kept(self.output / f"{name}-{key}", measure)


def measured(subjects: dict[str, Subject], options: Options, *, memory: bool) -> dict:
    """Return edges, seconds of each round and peak of each subject."""
    every = list(subjects.values())
    rounds = options.rounds * (1 if every[0].layers else QUICK)
    seconds = layer_costs.times(every, rounds, options.threads)
    found = {}
    for (name, subject), each in zip(subjects.items(), seconds, strict=True):
        atoms, (edges, weight) = len(subject.structure), subject.edges()
        found[name] = {"atoms": atoms, "edges": edges / atoms, "weight": weight / atoms}
        found[name]["seconds"] = each
        if memory:
            little = layer_settings.small(subject.structure)
            found[name]["peak"] = layer_costs.peak(subject, little, options.threads)
    return found


def products(structure, options: Options) -> dict:
    """Return costs of one and of two layers of edge products, by kind of call."""
    subjects = {
        f"{layers} {kind} {name}": Subject(
            structure, CUTOFF, envelope, layers, kind == "training"
        )
        for name, envelope in layer_settings.few().items()
        for layers in (1, 2)
        for kind in ("force", "training")
    }
    return measured(subjects, options, memory=True)


def mlanet(structure, options: Options) -> dict:
    """Return costs of the default MLANet at both cutoffs."""
    chosen = layer_settings.envelopes(USUAL, RADII)
    subjects = {
        f"{cutoff:g} {name}": Subject(structure, cutoff, envelope)
        for cutoff in (CUTOFF, LONG)
        for name, envelope in chosen.items()
    }
    return measured(subjects, options, memory=True)


def choices(options: Options) -> dict:
    """Return edges of all materials, and times, for many envelopes."""
    chosen = layer_settings.envelopes(LIMITS, RADII)
    materials, reasons = layer_settings.counted()
    edges = {
        material.name: {
            name: _mean_edges(material.structures, envelope)
            for name, envelope in chosen.items()
        }
        for material in materials
    }
    times = {}
    for place, structure in layer_settings.timed().items():
        subjects = {name: Subject(structure, CUTOFF, e) for name, e in chosen.items()}
        times[place] = measured(subjects, options, memory=False)
    return {"edges": edges, "times": times, "reasons": reasons}


def _mean_edges(structures, envelope) -> list[float]:
    """Return edges and their weights per atom."""
    found = [Subject(one, CUTOFF, envelope).edges() for one in structures]
    atoms = sum(map(len, structures))
    return [sum(column) / atoms for column in zip(*found, strict=True)]


def alone(found: dict, kind: str, name: str) -> dict:
    """Return what the second layer adds to the first."""
    one, two = found[f"1 {kind} {name}"], found[f"2 {kind} {name}"]
    seconds = [b - a for a, b in zip(one["seconds"], two["seconds"], strict=True)]
    return two | {"seconds": seconds, "peak": two["peak"] - one["peak"]}


def gains(before: dict, after: dict) -> tuple[float, float]:
    """Return how many times less time and memory the second takes."""
    return ratio(before["seconds"], after["seconds"]), before["peak"] / after["peak"]


def cells(before: dict, after: dict) -> list[str]:
    """Return time per atom and peak with their gains."""
    faster, less = gains(before, after)
    each = 1e6 * statistics.median(after["seconds"]) / after["atoms"]
    return [f"{each:,.0f} ({faster:.2f}x)", f"{after['peak']:,.0f} ({less:.2f}x)"]


def products_table(found: dict, *, second: bool) -> str:
    """Return costs of both layers, or of the second alone."""
    head = ["triplet envelope", "edges per atom"]
    for call in ("force call", "training step"):
        head += [f"{call}, µs/atom", "peak, MiB"]
    lines = []
    for name in layer_settings.few():
        edges = found[f"2 force {name}"]["edges"]
        fewer = found[f"2 force {NONE}"]["edges"] / edges
        line = [name, f"{edges:.1f} ({fewer:.2f}x)"]
        for kind in ("force", "training"):
            pair = [
                alone(found, kind, one) if second else found[f"2 {kind} {one}"]
                for one in (NONE, name)
            ]
            line += cells(*pair)
        lines.append(line)
    return pages.table(head, lines)


def products_text(place: str, found: dict) -> str:
    """Return both tables of a structure, and what became of the targets."""
    verdicts = []
    for kind, call in (("force", "force call"), ("training", "training step")):
        pair = found[f"2 {kind} {NONE}"], found[f"2 {kind} {DEFAULT}"]
        for value, target, what in zip(
            gains(*pair), (FASTER, LESS), ("faster", "less memory"), strict=True
        ):
            word = "met" if value >= target else "**missed**"
            verdicts.append(f"{call} {value:.2f}x {what} (target {target:g}: {word})")
    return (
        f"Edge products, {place}, two layers\n\n{products_table(found, second=False)}\n"
        f"The second layer alone (two layers less one)\n\n"
        f"{products_table(found, second=True)}\n"
        f"Default envelope of splines: {'; '.join(verdicts)}.\n"
    )


def mlanet_text(place: str, found: dict) -> str:
    """Return costs of MLANet relative to those at 6 A without a triplet envelope."""
    base, lines = found[f"{CUTOFF:g} {NONE}"], []
    for key, one in found.items():
        cutoff, _, name = key.partition(" ")
        line = [f"{cutoff} Å", name, f"{one['edges']:.1f}", f"{one['weight']:.1f}"]
        lines.append(line + cells(base, one))
    head = ["cutoff", "triplet envelope", "edges per atom", "sum of weights"]
    head += ["force call, µs/atom", "peak, MiB"]
    faster, _ = gains(base, found[f"{LONG:g} {NETWORKS}"])
    word = "met" if faster >= 1.0 else "**missed**"
    return (
        f"MLANet, compiled, {place}\n\n{pages.table(head, lines)}\n"
        f"{LONG:g} Å with the default envelope of networks ({NETWORKS}) beside "
        f"{CUTOFF:g} Å without: "
        f"{faster:.2f}x as fast (target 1: {word}).\n"
    )


def choices_text(found: dict) -> str:
    """Return edges of all materials and times of MLANet by envelope."""
    edges, times = found["edges"], found["times"]
    head = ["triplet envelope", *edges, *(f"{p}, µs/atom" for p in times)]
    lines = []
    for name in next(iter(edges.values())):
        line = [name]
        line += ["{:.1f} ({:.1f})".format(*column[name]) for column in edges.values()]
        for column in times.values():
            one, faster = (
                column[name],
                ratio(column[NONE]["seconds"], column[name]["seconds"]),
            )
            each = 1e6 * statistics.median(one["seconds"]) / one["atoms"]
            line.append(f"{each:.0f} ({faster:.2f}x)")
        lines.append(line)
    text = "".join(f"- {reason}\n" for reason in found["reasons"])
    return (
        f"Edges per atom at {CUTOFF:g} Å, in brackets the sum of weights, and force calls "
        f"of the compiled MLANet\n\n{pages.table(head, lines)}\n{text}"
    )


def results(parts, options: Options) -> tuple[dict, list[str]]:
    """Return what was measured, and the text of each part."""
    record, texts = {}, []
    makers = {
        "products": (products, products_text),
        "mlanet": (mlanet, mlanet_text),
    }
    for part in parts:
        if part == "choices":
            record[part] = options.kept(part, lambda: choices(options))
            texts.append(choices_text(record[part]["found"]))
            continue
        make, text = makers[part]
        for place, one in layer_settings.timed().items():
            key = f"{part}-{place}"
            record[key] = options.kept(key, lambda make=make, one=one: make(one, options))
            texts.append(text(f"{place}, {len(one)} atoms", record[key]["found"]))
    return record, texts


def heading(record: dict, options: Options) -> str:
    """Return date, machine, threads, and what other work took."""
    busiest = max((one["others"] or 0.0 for one in record.values()), default=0.0)
    text = pages.facts([])
    if busiest > pages.SHARED_LIMIT:
        text += f"- **shared machine**: other work took up to {busiest:.0%} of its cores; "
        text += "times are upper bounds, ratios less exact\n"
    text += f"- threads: {options.threads}; {options.rounds} rounds of edge products, "
    text += f"{QUICK * options.rounds} of MLANet, all of a structure in turn\n"
    return text


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/bench/envelope_layers"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--write-docs", action="store_true", help="Renew the page.")
    chosen = parser.parse_args(argv)
    present = layer_settings.timed()
    if chosen.write_docs and (set(chosen.only) != set(PARTS) or WATER not in present):
        parser.error("--write-docs needs all parts and ../shared/data/water_deepmd")
    options = Options(chosen.rounds, chosen.threads, chosen.output)
    record, texts = results(chosen.only, options)
    text = "\n".join([heading(record, options), *texts])
    pages.keep(chosen.output, "envelope_layers", text, record, write_docs=False)
    if chosen.write_docs:
        pages.replace(pages.PAGES / "networks.md", "envelope_layers", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
