"""Studies whose truth is known, to see how often a comparison is right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nas.confirming.comparing import Scores, Verdict, compare_all


@dataclass(frozen=True)
class World:
    """How scores come about, in Dice.

    A case's score is its own level, less what is skewed towards failures; plus a network's gain on this case, plus the
    luck of the training that segmented it, plus what is left to chance. Deviations are those of these parts. They are
    about those of the hippocampus: 0.02 between cases, 0.006 from training to training on one case.

    gain: the true difference of each finalist from the baseline.
    """

    cases: int = 200
    folds: int = 5
    seeds: int = 2
    finalists: int = 3
    gain: float = 0.0
    between_cases: float = 0.02
    by_case: float = 0.006
    by_training: float = 0.002
    by_chance: float = 0.006


WORLDS: Mapping[str, World] = {
    "200 cases, 5 folds, 2 seeds": World(),
    "200 cases, 5 folds, 1 seed": World(seeds=1),
    "60 cases, 5 folds, 2 seeds": World(cases=60),
    "200 cases, held out, 3 seeds": World(folds=1, seeds=3),
    "200 cases, trainings differ much": World(by_training=0.005),
    "200 cases, trainings do not differ": World(by_training=0.0),
}
GAINS = (0.003, 0.005, 0.01)
"""True differences that are to be named, in Dice."""
MOST_FALSE = 0.05
LEAST_NAMED = 0.8


@dataclass(frozen=True)
class Simulated:
    """How many of the simulated studies said what.

    better: said so of any finalist. large_enough: could show a difference as small as the true one by their own word.
    named: of those, how many said better of their first finalist.
    """

    studies: int
    better: int
    large_enough: int
    named: int


def simulate(
    world: World, studies: int, *, seed: int = 0, resamples: int = 999, done: Callable[[int], None] = lambda _: None
) -> Simulated:
    """Compare finalists with a baseline in many studies of one world."""
    better = large = named = 0
    for number in range(studies):
        generator = np.random.default_rng([seed, number])
        finalists, baseline = _study(world, generator)
        comparisons = compare_all(finalists, [baseline], resamples=resamples)
        verdicts = [comparison.verdict is Verdict.BETTER for comparison in comparisons]
        better += any(verdicts)
        if comparisons[0].detectable <= world.gain:
            large += 1
            named += verdicts[0]
        done(number + 1)
    return Simulated(studies, better, large, named)


def without_difference(world: World) -> World:
    """The same world, in which no finalist is better."""
    return replace(world, gain=0.0)


@dataclass(frozen=True)
class Rates:
    """How often a confirmation is right in one world: the share of studies without a difference in which "better" was
    said, and of those with one, large enough to be told by their own word, in which it was named.
    """

    world: str
    false: float
    large_enough: int
    named: float

    @property
    def right(self) -> bool:
        """Whether both are within their bars; without a study that is large enough there is nothing to name."""
        return self.false <= MOST_FALSE and not self.named < LEAST_NAMED


def rates(name: str, studies: int, done: Callable[[int], None] = lambda _: None) -> Rates:
    """Simulate studies of one of the `WORLDS`, as many without a difference as with one.

    Args:
        name: of the world.
        studies: how many of each.
        done: hears how many are.
    """
    world, per_gain = WORLDS[name], max(studies // len(GAINS), 1)
    false = simulate(without_difference(world), studies, done=done).better / studies
    large = named = 0
    for number, gain in enumerate(GAINS):
        simulated = simulate(replace(world, gain=gain), per_gain)
        done(studies + (number + 1) * per_gain)
        large, named = large + simulated.large_enough, named + simulated.named
    return Rates(name, false, large, named / large if large else float("nan"))


def _study(world: World, generator: np.random.Generator) -> tuple[list[Scores], Scores]:
    names = tuple(f"case {number}" for number in range(world.cases))
    folds = tuple(int(fold) for fold in generator.permutation(np.arange(world.cases) % world.folds))
    # Failures: the logarithm of what is missing to 1 is about normal, as of most Dice.
    levels = 0.9 - world.between_cases * (generator.lognormal(0.0, 0.5, world.cases) - 1.13) / 0.6

    def scores(name: str, gain: float) -> Scores:
        case = generator.normal(0, world.by_case, world.cases)
        trainings = generator.normal(0, world.by_training, (world.seeds, world.folds))
        chance = generator.standard_t(4, (world.seeds, world.cases)) * world.by_chance / 2**0.5
        return Scores(name, levels + gain + case + trainings[:, folds] + chance, names, folds)

    return [scores(f"finalist {n + 1}", world.gain) for n in range(world.finalists)], scores("baseline", 0.0)
