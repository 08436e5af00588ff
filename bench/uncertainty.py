"""Whether the intervals of a study cover the truth: simulated studies whose true rates are known.

Run ``python bench/uncertainty.py [--studies 200] [--models 50] [--record]``; 3 minutes.

People are vectors of independent normal numbers, of which a photograph and a scan are noisy copies;
the score is their cosine. In such a world strangers' cosines are distributed as a known beta, from
which the true rates follow in galleries of any size. In the *uneven* world the numbers have unequal
spread, as embeddings have: some people are similar to many. Its true rates are counted among 50,000
strangers.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

import evidence
from faceblind.identification import subgallery
from faceblind.identification.gallery_scaling import gallery_scaling
from faceblind.identification.intervals import Rate
from faceblind.identification.metrics import hit_probabilities
from faceblind.identification.open_set import open_set
from faceblind.identification.paired import compare_paired
from faceblind.identification.searches import Searches
from faceblind.identification.subgroups import compare_groups

SEED = 21
PEOPLE = 182
"""As many as in the reference cohort."""
MODEL_PEOPLE = (84, 182)
HELD_OUT = 2000
STRANGERS = 50_000
GROUP = 60
NOISIER = 1.4
"""Noise of photographs in the second study of a pair, in units of the first's."""


@dataclass(frozen=True)
class World:
    """How people, photographs and scans scatter.

    Parameters
    ----------
    name : str
    dimensions : int
    noise : float
        Of a picture, in units of the spread of people.
    unlike : float
        Spread of the logarithm of the noise from one person's photographs to another's.
    decay : float
        The spread of dimension k is ``k ** -decay``; 0 for all alike.
    """

    name: str
    dimensions: int
    noise: float
    unlike: float = 0.0
    decay: float = 0.0

    def people(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """(n, D) who they are."""
        return rng.normal(size=(n, self.dimensions))

    def photographs(
        self, rng: np.random.Generator, people: NDArray[np.float64], times: float = 1.0
    ) -> NDArray[np.float64]:
        """(n, D) unit vectors; `times` is the noise in units of the world's."""
        own = np.exp(self.unlike * rng.normal(size=(len(people), 1)))
        return self._pictures(rng, people, times * self.noise * own)

    def scans(self, rng: np.random.Generator, people: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, D) unit vectors."""
        return self._pictures(rng, people, np.full((len(people), 1), self.noise))

    def _pictures(
        self, rng: np.random.Generator, people: NDArray[np.float64], noise: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        spread = np.arange(1, self.dimensions + 1) ** -self.decay
        vectors = (people + noise * rng.normal(size=people.shape)) * spread
        unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


WORLDS = (
    World("few dimensions", 12, 0.45),
    World("many dimensions", 32, 0.8),
    World("unlike photographs", 24, 0.55, unlike=0.4),
)
UNEVEN = World("uneven", 96, 0.95, unlike=0.2, decay=0.4)


@dataclass(frozen=True)
class Truth:
    """Scores of many mates, and how probably one stranger exceeds each."""

    mates: NDArray[np.float64]
    exceeded: NDArray[np.float64]
    half: float

    def rank1(self, gallery: int) -> float:
        """Rate of a gallery of this size."""
        return float(np.exp((gallery - 1) * np.log1p(-self.exceeded)).mean())

    def dir_at(self, fpir: float, gallery: int) -> float:
        """Detection and identification rate at the true threshold of a FPIR."""
        threshold = 2 * beta.ppf((1 - fpir) ** (1 / (gallery - 1)), self.half, self.half) - 1
        first = np.exp((gallery - 1) * np.log1p(-self.exceeded))
        return float(((self.mates > threshold) * first).mean())


def truth(world: World, times: float = 1.0) -> Truth:
    """Of a world whose dimensions are all alike."""
    rng = np.random.default_rng(SEED)
    people = world.people(rng, 200_000)
    mates = np.einsum("nd,nd->n", world.photographs(rng, people, times), world.scans(rng, people))
    half = (world.dimensions - 1) / 2
    return Truth(mates, beta.sf((1 + mates) / 2, half, half), half)


def counted_rank1(world: World, sizes: tuple[int, ...], probes: int = 1000) -> list[float]:
    """True rates of any world, from strangers who are counted."""
    rng = np.random.default_rng(SEED + 1)
    people = world.people(rng, probes)
    photographs, mates = world.photographs(rng, people), world.scans(rng, people)
    own = np.einsum("nd,nd->n", photographs, mates)
    better = np.zeros(probes, dtype=np.int64)
    for _ in range(STRANGERS // 5000):
        strangers = world.scans(rng, world.people(rng, 5000))
        better += (photographs @ strangers.T > own[:, None]).sum(axis=1)
    none = np.zeros_like(better)
    return [
        float(subgallery.hit_probabilities(better, none, STRANGERS + 1, size).mean())
        for size in sizes
    ]


def study(
    world: World, rng: np.random.Generator, n: int, times: float = 1.0
) -> tuple[Searches, Searches]:
    """Two studies of the same people and scans; the second has noisier photographs."""
    people = world.people(rng, n)
    scans = world.scans(rng, people)
    labels = np.array([f"{i:05d}" for i in range(n)])
    first, second = (
        Searches(world.photographs(rng, people, noise) @ scans.T, np.arange(n), labels, labels)
        for noise in (1.0, times)
    )
    return first, second


def inside(rate: float, low: float, high: float) -> bool:
    """Whether an interval holds a rate."""
    return low <= rate <= high


def intervals(studies: int) -> evidence.Table:
    """Coverage of the 95 % intervals of one study."""
    rows = []
    everything: dict[str, list[bool]] = {}
    for number, world in enumerate(WORLDS):
        rng = np.random.default_rng([SEED, number])
        known, noisier = truth(world), truth(world, NOISIER)
        rates = known.rank1(PEOPLE), noisier.rank1(PEOPLE)
        found: dict[str, list[bool]] = {}

        def note(name: str, covered: bool, found: dict[str, list[bool]] = found) -> None:
            found.setdefault(name, []).append(covered)

        for trial in range(studies):
            first, second = study(world, rng, PEOPLE, NOISIER)
            hits = [hit_probabilities(one.values, one.mates, 1) for one in (first, second)]
            rate = Rate.of(float(hits[0].sum()), PEOPLE)
            note("rank 1, Wilson", inside(rates[0], rate.low, rate.high))
            group = Rate.of(float(hits[0][:GROUP].sum()), GROUP)
            note(f"rank 1 of a group of {GROUP}, Wilson", inside(rates[0], group.low, group.high))
            points = {p.wanted_fpir: p.dir for p in open_set(first, trial).table}
            for fpir in (0.01, 0.05):
                covered = inside(known.dir_at(fpir, PEOPLE), points[fpir].low, points[fpir].high)
                note(f"DIR at FPIR {100 * fpir:g} %, bootstrap", covered)
            pair = compare_paired(hits[0], hits[1], 1, trial)
            change = rates[1] - rates[0]
            note("difference of two studies, paired bootstrap", inside(change, pair.low, pair.high))
        for name, covered in found.items():
            everything.setdefault(name, []).extend(covered)
        rows.append((world.name, f"{rates[0]:.1%}", *(f"{np.mean(c):.1%}" for c in found.values())))
    rows.append(("all", "", *(f"{np.mean(covered):.1%}" for covered in everything.values())))
    return evidence.Table(
        f"Share of 95 % intervals that hold the truth; {studies} studies of {PEOPLE} people in "
        "each world (aim: 93–97 % over all)",
        ("world", "true rank 1", *everything),
        tuple(rows),
    )


def models(studies: int) -> evidence.Table:
    """Coverage of the models of larger galleries, at sizes whose truth is known."""
    rows = []
    sizes = (HELD_OUT, 10**4, 10**6, 10**8)
    for number, world in enumerate((*WORLDS, UNEVEN)):
        known = None if world.decay else truth(world)
        reached = tuple(size for size in sizes if known or size <= 10**4)
        rates = [known.rank1(s) for s in reached] if known else counted_rank1(world, reached)
        rng = np.random.default_rng([SEED, 100 + number])
        large, _ = study(world, rng, HELD_OUT)
        measured = float(hit_probabilities(large.values, large.mates, 1).mean())
        for people in MODEL_PEOPLE:
            fits = [
                gallery_scaling(study(world, rng, people)[0], reached, trial)
                for trial in range(studies)
            ]
            for place, size in enumerate(reached):
                answers = [fit.larger[place] for fit in fits]
                aims = {size: rates[place]} | (
                    {f"{size:,}, measured": measured} if size == HELD_OUT else {}
                )
                for name, aim in aims.items():
                    tails = [one.extreme_values for one in answers]
                    laws = [one.pitman_yor for one in answers]
                    rows.append(
                        (
                            world.name, people, name if isinstance(name, str) else f"{name:,}",
                            f"{aim:.1%}",
                            f"{np.mean([one.rate for one in tails]):.1%}",
                            f"{np.mean([inside(aim, one.low, one.high) for one in tails]):.0%}",
                            f"{np.mean([one.rate for one in laws]):.1%}",
                            f"{np.mean([inside(aim, one.low, one.high) for one in laws]):.0%}",
                            f"{np.mean([inside(aim, one.low, one.high) for one in answers]):.0%}",
                        )
                    )  # fmt: skip
    return evidence.Table(
        f"Rank 1 in larger galleries: {studies} studies for each row (aim for the extreme values "
        "and for the range of both models: 90 % and more hold the truth)",
        (
            "world", "people studied", "gallery", "true rank 1", "extreme values, mean", "hold it",
            "Pitman-Yor, mean", "hold it", "range of both holds it",
        ),
        tuple(rows),
    )  # fmt: skip


def levels(studies: int) -> evidence.Table:
    """False alarms of the test of groups where no group differs."""
    rng = np.random.default_rng([SEED, 7])
    alarms = []
    for trial in range(studies):
        first, _ = study(WORLDS[0], rng, PEOPLE)
        found = hit_probabilities(first.values, first.mates, 1)
        labels = {
            f"trait {k}": [str(one) for one in rng.integers(0, k + 2, PEOPLE)] for k in range(3)
        }
        traits = compare_groups(found, labels, trial)
        alarms.append(any(trait.verdict == "differs" for trait in traits))
    return evidence.Table(
        "Test of groups where no group differs (aim: at most 5 % of studies)",
        ("traits tested", "studies", "with a false alarm"),
        ((3, studies, f"{np.mean(alarms):.1%}"),),
    )


def main() -> None:
    """Simulate, print and keep."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--studies", type=int, default=200, help="for each world")
    parser.add_argument("--models", type=int, default=50, help="for each world and cohort size")
    evidence.add_option(parser)
    options = parser.parse_args()
    start = time.process_time()
    tables = (intervals(options.studies), models(options.models), levels(options.studies))
    for table in tables:
        print(f"\n{table.caption}\n")
        for row in (table.columns, *table.rows):
            print("| " + " | ".join(map(str, row)) + " |")
    print(f"{time.process_time() - start:.0f} s of processor time", file=sys.stderr)
    if options.record:
        evidence.write(
            evidence.Record(
                name="uncertainty",
                title="What the figures mean beyond a gallery",
                topic="study",
                question="Do the intervals of a study hold the truth, and how far do models reach?",
                script="bench/uncertainty.py",
                command=evidence.command(),
                seeds=(SEED,),
                in_silico=True,
                tables=tables,
                notes=NOTES,
            )
        )


NOTES = (
    "People are random vectors, photographs and scans noisy copies of them, scores cosines: not "
    "faces, but a world in which the truth is known for every gallery.",
    "The Pitman-Yor law, fitted to few people, expects too many to be found in large galleries of "
    "these worlds. So the range that is printed runs from the lower end of one model to the higher "
    "end of the other.",
)

if __name__ == "__main__":
    main()
