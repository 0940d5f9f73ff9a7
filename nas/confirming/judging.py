"""Several networks measured on the same cases: each by itself, finalists against what they have to beat, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nas.confirming import statistics
from nas.confirming.comparing import MARGIN, Comparison, Scores, compare_all
from nas.confirming.statistics import Interval
from nas.confirming.wording import in_words


@dataclass(frozen=True)
class Summary:
    """One network: its mean over cases with an interval, how far its seeds lie apart, how probably it is the best."""

    name: str
    mean: Interval
    cases: int
    seeds: int
    seed_deviation: float
    rank_one: float


@dataclass(frozen=True)
class Judged:
    """What the cases say of one structure, or of all in the mean."""

    structure: str
    networks: tuple[Summary, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every comparison in plain words."""
        return tuple(map(in_words, self.comparisons))

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON; what is not defined is null."""
        networks = [
            {**asdict(network), "mean": _interval(network.mean), **_numbers(network, "seed_deviation", "rank_one")}
            for network in self.networks
        ]
        comparisons = [
            {
                "network": comparison.name,
                "baseline": comparison.baseline,
                "difference": _interval(comparison.difference),
                "p": comparison.p,
                "detectable": comparison.detectable,
                "cases": comparison.parts.number_of_cases,
                "seeds": comparison.seeds,
                "confidence": comparison.confidence,
                "margin": comparison.margin,
                "verdict": str(comparison.verdict),
                "words": words,
            }
            for comparison, words in zip(self.comparisons, self.sentences, strict=True)
        ]
        return {"structure": self.structure, "networks": networks, "comparisons": comparisons}


def judge(
    structure: str,
    finalists: Sequence[Scores],
    baselines: Sequence[Scores],
    *,
    margin: float = MARGIN,
    resamples: int = statistics.RESAMPLES,
) -> Judged:
    """Finalists beside baselines on the same cases.

    Args:
        structure: what was scored.
        finalists: the networks that are to be judged.
        baselines: what they have to beat.
        margin: what a network may be worse by and still be called no worse.
        resamples: of bootstraps.

    Raises:
        InputError: their cases differ, or fewer than two have a value of both.
    """
    networks = [network.grouped for network in (*finalists, *baselines)]
    first = statistics.rank_one([network.values for network in networks], resamples=resamples)
    summaries = [_summary(network, share, resamples) for network, share in zip(networks, first, strict=True)]
    comparisons = compare_all(finalists, baselines, margin=margin, resamples=resamples)
    return Judged(structure, tuple(summaries), comparisons)


def _summary(network: Scores, rank_one: float, resamples: int) -> Summary:
    """A case that some seed has no value of counts with the seeds that have one."""
    values = statistics.by_group(network.values.T, ("",) * len(network.values)).ravel()
    mean = statistics.mean_interval(values, resamples=resamples)
    cases, seeds = int((~np.isnan(values)).sum()), len(network.values)
    return Summary(network.name, mean, cases, seeds, statistics.seed_deviation(network.values), rank_one)


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: _number(value) for name, value in asdict(interval).items()}


def _numbers(of: Summary, *names: str) -> Mapping[str, float | None]:
    return {name: _number(getattr(of, name)) for name in names}


def _number(value: float) -> float | None:
    return None if value != value else value
