"""Whether a network that won is really better: intervals, paired tests, and what they say in plain words."""

from nas.confirming.comparing import Comparison, Scores, Verdict, compare, compare_all
from nas.confirming.statistics import Interval, mean_interval, rank_one, seed_deviation
from nas.confirming.wording import in_words

__all__ = [
    "Comparison",
    "Interval",
    "Scores",
    "Verdict",
    "compare",
    "compare_all",
    "in_words",
    "mean_interval",
    "rank_one",
    "seed_deviation",
]
