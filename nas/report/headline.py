"""A study in sentences for somebody who has never seen one: what was searched, what won, by how much, at what cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nas.confirming import Comparison, Scores, compare, in_words, mean_interval
from nas.errors import InputError
from nas.report.material import CaseScores, Material, confirming_runs
from nas.study.history import Run, Split, State, Trial
from nas.wording import counted, duration, metric_name, percent, short_count


@dataclass(frozen=True)
class Headline:
    """Sentences with what they are about, and what a reader should be warned of."""

    title: str
    sentences: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def headline(material: Material) -> Headline:
    """What stands on top of a report."""
    parts = (
        ("What was searched", _searched(material)),
        ("What won", _won(material)),
        ("By how much", _by_how_much(material)),
        ("At what cost", _cost(material)),
        ("Is it confirmed?", _confirmed(material)),
    )
    title = f"{material.settings.name}: {material.settings.data}"
    return Headline(title, tuple((name, text) for name, text in parts if text), tuple(_warnings(material)))


def _searched(material: Material) -> str:
    settings = material.settings
    cases = settings.data_fingerprint.get("cases")
    axes = settings.task.get("axes")
    what = f"the {axes}D images" if axes else "images"
    of = f" ({cases} cases)" if cases else ""
    targets = _listed(material.targets)
    segmented = f", in which {targets} {'is' if len(material.targets) == 1 else 'are'} outlined" if targets else ""
    return (
        f"Networks that segment {what} of {settings.data}{of}{segmented}. They were taken from the space "
        f"{settings.space}, trained on most of the cases and judged by {settings.objective}: cases they never saw in "
        f"training. {_numbers(material)}"
    )


def _numbers(material: Material) -> str:
    history = material.history
    complete = len(material.complete)
    published = sum(trial.reference is not None for trial in material.complete)
    text = f"{counted(len(history.trials), 'network')} {_were(len(history.trials))} looked at and "
    text += f"{complete} trained to the end, {published} of them published by others"
    paused = len(history.in_state(State.PAUSED))
    others = {
        "were trained briefly and left at that": paused,
        "were over a limit": len(history.in_state(State.INFEASIBLE)),
        "diverged": len(history.in_state(State.DIVERGED)),
        "failed": len(history.in_state(State.FAILED)),
        "were known already": len(history.in_state(State.DUPLICATE)),
    }
    told = [f"{number} {words}" for words, number in others.items() if number]
    return f"{text}{'; ' if told else ''}{_listed(told)}."


def _won(material: Material) -> str:
    winner = material.winner
    if winner is None:
        return _nothing(material)
    value = material.value(winner)
    origin = "a published network" if winner.reference else "a network that the search proposed"
    reached = "" if value is None else f", with {metric_name(material.metric)} {value:.4f}"
    facts = [f"{short_count(winner.parameters)} parameters" if winner.parameters else ""]
    facts += [f"{short_count(winner.macs)} multiply-accumulates a patch" if winner.macs else ""]
    size = _listed([fact for fact in facts if fact])
    if winner.state is not State.COMPLETE:
        reached += f", so far: it was trained {_stage(material, winner)} and scored on a few cases"
    goals = "" if len(material.goals) == 1 else _other_goals(material, winner)
    has = f" It has {size}." if size else ""
    return f"{_capital(material.name(winner))}, {origin}{reached}.{has}{_averaged(material, winner)}{goals}"


def _averaged(material: Material, winner: Trial) -> str:
    """What the winner reaches together with those that come after it, where the search scored them so."""
    known = material.settings.together
    if known is None or known["trials"][0] != winner.number:
        return ""
    others = [material.name(material.history.by_number[number]) for number in known["trials"][1:]]
    return f" Averaged with {_listed(others)} it has Dice {known['dice']:.4f}."


def _other_goals(material: Material, winner: Trial) -> str:
    told = [
        f"{metric_name(goal.metric)} {value:.4g}"
        for goal in material.goals[1:]
        if (value := goal.value(winner)) is not None
    ]
    return (
        f" The search was after {len(material.goals)} things at once ({_listed([g.metric for g in material.goals])}); "
        "among the networks that no other one beats in all of them this one has the best "
        f"{metric_name(material.metric)}"
        f"{f', and {_listed(told)}' if told else ''}."
    )


def _nothing(material: Material) -> str:
    if material.underway:
        return "Nothing yet: the first networks are in training."
    history = material.history
    if not history.trials:
        return "Nothing: no network has been looked at yet."
    states = {trial.state for trial in history.trials}
    if states <= {State.INFEASIBLE, State.DUPLICATE}:
        return f"Nothing: every network is over a limit, such as: {history.trials[-1].cause}."
    if states <= {State.FAILED}:
        return f"Nothing: every training failed, such as with: {history.trials[-1].cause}."
    return "Nothing: no network was trained to the end."


def _by_how_much(material: Material) -> str:
    winner, rival = material.winner, material.rival
    if winner is None:
        return ""
    if rival is None:
        if material.best_published is None:
            return "There is no published network among those trained to the end, so that nothing can be said."
        return "There is no second network to compare with."
    values = material.value(winner), material.value(rival)
    kind = "best published network" if rival.reference else "best network that the search proposed"
    if rival.reference and winner.reference:
        kind = "second network"
    text = f"The {kind}, {material.name(rival)}"
    text += "." if values[1] is None else f", reached {values[1]:.4f}."
    compared = comparison(material)
    if compared is not None:
        text += (
            f" Case by case: {in_words(compared)} The interval (95%) speaks of other cases like these; it does not "
            "know that the winner was chosen on these very cases, which makes it look a little better than it is."
        )
    return text


def comparison(material: Material) -> Comparison | None:
    """The winner against its rival, case by case; None where cases were not measured or differ."""
    winner, rival = material.winner, material.rival
    own, other = material.scores_of(winner), material.scores_of(rival)
    if winner is None or rival is None or own is None or other is None or material.goals[0].direction != "maximize":
        return None
    return _compared(
        Scores(material.name(winner), own.by_case[None], own.cases),
        Scores(material.name(rival), other.by_case[None], other.cases),
    )


def _compared(one: Scores, other: Scores) -> Comparison | None:
    try:
        return compare(one, other)
    except InputError:
        return None


def _cost(material: Material) -> str:
    runs = [run for trial in material.history.trials for run in trial.runs if run.seconds]
    if not runs:
        return ""
    total = sum(run.seconds or 0.0 for run in runs)
    devices = sorted({run.device for run in runs if run.device})
    workers = len({run.worker_id or run.worker for run in runs})
    text = f"{duration(total)} of training and validation in {counted(len(runs), 'training')}"
    text += f" on {_listed(devices)}" if devices else ""
    text += f", by {workers} workers" if workers > 1 else ""
    if material.winner is not None and material.winner.seconds:
        text += f". The winner's took {duration(material.winner.seconds)}"
    return f"{text}."


def _confirmed(material: Material) -> str:
    winner = material.winner
    if winner is None:
        return ""
    told = [sentence for trial in _confirmed_trials(material) for sentence in _outcomes(material, trial)]
    if not confirming_runs(winner):
        return (
            "No: it was trained once and is known by the cases by which it was chosen. Train it and the published "
            "network again on other folds or seeds, or try both on cases that the search never saw, before you rely on "
            f"it.{' Trained again were: ' if told else ''}{' '.join(told)}"
        )
    against = confirmed_comparison(material)
    return " ".join([*told, *([in_words(against)] if against else ())])


def _confirmed_trials(material: Material) -> list[Trial]:
    return [trial for trial in material.order if confirming_runs(trial)]


def _outcomes(material: Material, trial: Trial) -> Iterator[str]:
    """What a network reached in trainings beside the search's own."""
    runs = confirming_runs(trial)
    for split, words in (
        (Split.HOLDOUT, "on cases that the search never saw"),
        (Split.SEARCH, "on other folds or seeds"),
    ):
        chosen = [run for run in runs if run.key.split is split and material.metric in run.values]
        if chosen:
            reached = [run.values[material.metric] for run in chosen]
            yield (
                f"{_capital(material.name(trial))} reached {np.mean(reached):.4f} {words}"
                f"{_interval(material, chosen)}, over {counted(len(chosen), 'training')}."
            )


def _interval(material: Material, runs: Sequence[Run]) -> str:
    scores = _joined("", runs, material)
    if scores is None or scores.values.shape[1] < 2:
        return ""
    interval = mean_interval(np.nanmean(scores.values, axis=0), resamples=1999)
    return f" ({interval.low:.4f} to {interval.high:.4f})"


def confirmed_comparison(material: Material) -> Comparison | None:
    """The winner against the best published network by trainings beside the search's own; None where there are none."""
    winner, rival = material.winner, material.rival
    if winner is None or rival is None:
        return None
    for split in (Split.HOLDOUT, Split.SEARCH):
        sides = [
            _joined(material.name(trial), [run for run in confirming_runs(trial) if run.key.split is split], material)
            for trial in (winner, rival)
        ]
        if sides[0] is not None and sides[1] is not None:
            compared = _compared(sides[0], sides[1])
            if compared is not None:
                return compared
    return None


def _joined(name: str, runs: Sequence[Run], material: Material) -> Scores | None:
    """The cases of several runs: those of one seed and different folds side by side, seeds above each other."""
    by_seed: dict[int, dict[str, tuple[float, int]]] = {}
    for run in runs:
        scores: CaseScores | None = material.scores.get(run.id)
        if scores is None:
            return None
        rows = zip(scores.cases, scores.by_case.tolist(), strict=True)
        by_seed.setdefault(run.key.seed, {}).update({case: (value, run.key.fold) for case, value in rows})
    if not by_seed or len({frozenset(rows) for rows in by_seed.values()}) > 1:
        return None
    cases = sorted(next(iter(by_seed.values())))
    values = np.array([[by_seed[seed][case][0] for case in cases] for seed in sorted(by_seed)], np.float64)
    first = by_seed[min(by_seed)]
    return Scores(name, values, tuple(cases), tuple(first[case][1] for case in cases))


def _warnings(material: Material) -> Iterator[str]:
    settings, history = material.settings, material.history
    if settings.synthetic:
        yield "The data are synthetic: these figures say nothing about real scans."
    if material.underway:
        of = f" of {material.wanted} that are wanted" if material.wanted else ""
        yield (
            f"The search is not over: {counted(len(material.underway), 'network')} "
            f"{'is' if len(material.underway) == 1 else 'are'} in training or waiting, "
            f"{len(material.complete)}{of} are trained to the end. This is how it stood on "
            f"{material.moment:%d %B %Y at %H:%M} UTC."
        )
    failed = history.in_state(State.FAILED)
    if failed:
        yield f"{counted(len(failed), 'training')} failed, the last with: {failed[-1].cause}"
    diverged = history.in_state(State.DIVERGED)
    if len(diverged) > 2 and len(diverged) * 3 > len(material.trained):
        yield f"{len(diverged)} networks diverged: a lower learning rate may find more."
    winner = material.winner
    if winner is not None and winner.explanation:
        yield f"{_capital(material.name(winner))}: {winner.cause}"
    if winner is not None and winner.reference is not None and len(material.complete) > 1:
        yield "No network that the search proposed did better than the best published one."


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stage(material: Material, trial: Trial) -> str:
    share = 1.0 if trial.latest is None else material.settings.share(trial.latest.key.rung)
    return f"for {percent(share)} of the whole training"
