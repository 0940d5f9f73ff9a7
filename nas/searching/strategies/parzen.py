"""What Optuna's tree-structured Parzen estimator suggests for one trial, in a fraction of its time.

For each decision that not all trials share, Optuna splits the trials and makes mixtures of kernels anew, of which there
are dozens in a space of conditions. Here trials are split once, and a mixture over the few values of a choice is summed
up to a table. What is drawn follows the same probabilities: the tests hold both to the same numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
    from optuna.trial import FrozenTrial

    Trials = Sequence[FrozenTrial]

STARTUP = 10
"""With fewer trials that have ended, Optuna decides at random."""
_DRAWS = 24
"""Of so many values that suit good trials, the one that suits the others least is taken."""
_FEW = 256
"""With more values a choice of whole numbers is left to Optuna."""


@dataclass
class Suggestions:
    """Suggests as a trial of Optuna's does.

    Args:
        study: what the sampler sees.
        sampler: Optuna's, for what all trials share, which it decides at once, and for real numbers.
        trial: that is decided, in the study.
        shared: the decisions that all trials share, by name.
        generator: what is drawn from.
    """

    study: "optuna.Study"
    sampler: "optuna.samplers.TPESampler"
    trial: "FrozenTrial"
    shared: "Mapping[str, BaseDistribution]"
    generator: Random

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        from optuna.distributions import CategoricalDistribution

        return self._suggest(name, CategoricalDistribution(choices))

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """A whole number."""
        from optuna.distributions import IntDistribution

        return cast(int, self._suggest(name, IntDistribution(low, high, log=log)))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """A real number."""
        from optuna.distributions import FloatDistribution

        return cast(float, self._suggest(name, FloatDistribution(low, high, log=log)))

    def _suggest(self, name: str, distribution: "BaseDistribution") -> Any:
        from optuna.distributions import CategoricalDistribution, IntDistribution

        if distribution.single():
            return distribution.to_external_repr(getattr(distribution, "low", 0))
        if name in self._together and self.shared[name] == distribution:
            return self._together[name]
        categorical = isinstance(distribution, CategoricalDistribution)
        integer = isinstance(distribution, IntDistribution) and distribution.high - distribution.low < _FEW
        if self._split is not None and (categorical or integer):
            return self._drawn(name, distribution, self._split)
        return self.sampler.sample_independent(self.study, self.trial, name, distribution)

    @cached_property
    def _together(self) -> dict[str, Any]:
        """What all trials share, decided at once; with several objectives Optuna decides one by one."""
        if len(self.study.directions) > 1:
            return {}
        several = {name: self.shared[name] for name in sorted(self.shared) if not self.shared[name].single()}
        return self.sampler.sample_relative(self.study, self.trial, several)

    @cached_property
    def _split(self) -> "tuple[Trials, Trials] | None":
        """The good trials and the others, in the order of their numbers; None while there are too few."""
        from optuna.samplers._tpe.sampler import _split_trials
        from optuna.trial import TrialState

        known = [trial for trial in self.study.get_trials(deepcopy=False) if trial.state is not TrialState.FAIL]
        known = [trial for trial in known if trial.number != self.trial.number]
        ended = sum(trial.state is TrialState.COMPLETE for trial in known)
        if ended < STARTUP:
            return None
        good = math.ceil(0.1 * ended)
        return _split_trials(self.study, known, good if len(self.study.directions) > 1 else min(good, 25))

    def _drawn(self, name: str, distribution: "BaseDistribution", split: "tuple[Trials, Trials]") -> Any:
        good, others = (
            table([trial.params[name] for trial in trials if name in trial.params], distribution, evenly=evenly)
            for trials, evenly in zip(split, (len(self.study.directions) > 1, False), strict=True)
        )
        candidates = self.generator.choices(range(len(good)), weights=good.tolist(), k=_DRAWS)
        ratios = (good / others).tolist()
        best = max(candidates, key=ratios.__getitem__)
        return distribution.to_external_repr(best + getattr(distribution, "low", 0))


def table(seen: Sequence[Any], distribution: "BaseDistribution", *, evenly: bool = False) -> np.ndarray:
    """How probable each value of a choice is after those that were seen, of which the latest count most.

    Args:
        seen: values, the oldest one first.
        distribution: of categories or whole numbers.
        evenly: whether all of them count alike, however old.
    """
    weights = np.append(np.ones(len(seen)) if evenly else _faded(len(seen)), 1.0)  # the last one is the prior's
    weights /= weights.sum()
    if hasattr(distribution, "choices"):
        return _of_categories(seen, cast("CategoricalDistribution", distribution), weights)
    return _of_numbers(np.asarray(seen, float), cast("IntDistribution", distribution), weights)


def _faded(count: int) -> np.ndarray:
    """The latest 25 count fully, what is older the less the older it is."""
    if count < 25:
        return np.ones(count)
    return np.append(np.linspace(1.0 / count, 1.0, num=count - 25), np.ones(25))


def _of_categories(seen: Sequence[Any], distribution: "CategoricalDistribution", weights: np.ndarray) -> np.ndarray:
    categories = len(distribution.choices)
    share = 1.0 / len(weights)  # what a kernel gives to every category beside the one that it was seen at
    places = [int(distribution.to_internal_repr(value)) for value in seen]
    counted = np.bincount(np.asarray(places, int), weights=weights[:-1], minlength=categories)
    spread = (counted + share * weights[:-1].sum()) / (1.0 + categories * share)
    summed: np.ndarray = spread + weights[-1] / categories
    return summed


def _of_numbers(seen: np.ndarray, distribution: "IntDistribution", weights: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr  # a quarter of a second, which a search without proposals does without

    edges = np.arange(distribution.low, distribution.high + 2) - 0.5
    if distribution.log:
        edges, seen = np.log(edges), np.log(seen)
    low, high = edges[0], edges[-1]
    middles = np.append(seen, (low + high) / 2)
    widths = np.append(_widths(seen, low, high), high - low)
    below = ndtr((edges[:, None] - middles) / widths)
    kernels = (below[1:] - below[:-1]) / (below[-1] - below[0])
    summed: np.ndarray = kernels @ weights
    return summed


def _widths(seen: np.ndarray, low: float, high: float) -> np.ndarray:
    """The width of each kernel: as far as the neighbour that is further away."""
    order = np.argsort(seen)
    gaps = np.diff(np.concatenate([[low], seen[order], [high]]))
    widths = np.maximum(gaps[:-1], gaps[1:])
    if len(seen) > 1:  # what is outermost looks inwards
        widths[0], widths[-1] = gaps[1], gaps[-2]
    narrowest = (high - low) / min(100.0, 2.0 + len(seen))
    result: np.ndarray = np.clip(widths[np.argsort(order)], narrowest, high - low)
    return result
