"""A table that nobody trained: Dice that follow from the decisions, with noise, seen less and less clearly before."""

from functools import cache
from random import Random

from nas.catalog import load_space
from nas.searching.candidates import candidates_of
from nas.searching.tables.table import Making, Row, Table
from nas.space.listing import listed
from nas.training import load_recipe

RUNGS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
NOISE = (0.05, 0.04, 0.025, 0.015)
"""Of a look at each rung, beside a spread of about 0.05 over members."""


@cache
def synthetic(seed: int = 0, share: float = 1.0) -> Table:
    """A table over `small_volumes`, or a part of it."""
    space, recipe = load_space("small_volumes"), load_recipe("small_volumes").recipe
    candidates = candidates_of(space, recipe)
    chance, effects = Random(seed), {}
    published = {tuple(sorted(candidates.read(m.architecture).items())): m.name for m in space.members}
    rows = []
    for number, decisions in enumerate(listed(candidates.decide)):
        names = sorted(f"{path}={value}" for path, value in decisions.items())
        pairs = [f"{one} {other}" for one in names for other in names if one < other]
        effect = sum(effects.setdefault(name, chance.gauss(0, 0.02)) for name in names)
        effect += sum(effects.setdefault(pair, chance.gauss(0, 0.005)) for pair in pairs)
        dice = min(0.75 + effect + chance.gauss(0, 0.005), 0.95)
        looks = [min(max(dice * (0.4 + 0.1 * rung) + chance.gauss(0, noise), 0), 1) for rung, noise in enumerate(NOISE)]
        rows.append(
            Row(
                number=number,
                seed=0,
                decisions=decisions,
                digest=str(number),
                recipe_digest="r",
                parameters=1000 + number,
                macs=1000,
                reference=published.get(tuple(sorted(decisions.items()))),
                training_dice=(0.5,) * 10,
                losses=(1.0,) * 10,
                looks=tuple(((look,),) for look in looks),
                scores=((dice,),),
                seconds=10.0 + number % 7,
            )
        )
    chance.shuffle(rows)
    making = Making(
        study=space.name, coarser=1.0,
        space=space.name, space_digest=space.digest(), recipe=recipe.to_json(), data="none", data_digest="", task={},
        preprocessing={}, members=len(rows), rungs=RUNGS, cases=("a",), looked_at=("a",), targets=("x",), twice=5,
        command="", versions={},
    )  # fmt: skip
    return Table("synthetic", making, tuple(rows[: round(share * len(rows))]))
