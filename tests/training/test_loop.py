"""Training: what the recipe's choices do, resuming, averaging, memory that runs out, and losses that are no numbers."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nas.errors import InputError
from nas.network import Network, StepPlan
from nas.training import (
    EACH_CLASS,
    CheckpointError,
    DivergedError,
    Epoch,
    OutOfMemoryError,
    Recipe,
    Targets,
    read_checkpoint,
    train,
)
from nas.training.loop import NotLearningError, Write
from nas.training.losses.dice_focal import DiceFocal
from nas.training.losses.tversky import Tversky
from nas.training.optimisers import SGD, AdamW
from nas.training.pace import Timed
from nas.training.schedules import OneCycle, Poly
from tests.training.factories import STILL, network, recipe, sample

SAMPLES = [sample(seed=number) for number in range(3)]
DROPOUT = "Tiramisu-67"
REGIONS = Targets(((1, 2), (2,), (1,)))
ALL_AT_ONCE = replace(recipe(), averaging=0.9, loss=Tversky(), schedule=Poly(), weight_decay=0.1)


def trained(settings: Recipe, built: Network | None = None, **fields: object) -> tuple[Network, list[Epoch]]:
    built, epochs = built or network(), []
    train(built, SAMPLES, settings, seed=3, report=epochs.append, **fields)  # type: ignore[arg-type]
    return built, epochs


def same(one: Network, other: Network) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "settings",
    [
        recipe(),
        recipe(loss=DiceFocal(), optimiser=SGD(), schedule=OneCycle(), warm_up=0.0),
        recipe(optimiser=AdamW(beta2=0.99), averaging=0.9, accumulation=2),
    ],
    ids=["as it comes", "focal, Nesterov, one cycle", "averaged, in parts"],
)
def test_the_same_seed_gives_the_same_network(settings: Recipe) -> None:
    one, epochs = trained(settings)
    other, again = trained(settings)
    assert same(one, other)
    assert epochs == again
    assert [epoch.number for epoch in epochs] == [1, 2]
    assert not same(one, network())


@pytest.mark.parametrize(("steps", "epochs", "numbers"), [(6, 4, [1, 2, 3, 4]), (3, 5, [1, 2, 3]), (1, 5, [1])])
def test_each_epoch_is_reported_once_and_has_a_step_at_least(steps: int, epochs: int, numbers: list[int]) -> None:
    _, reported = trained(recipe(steps=steps, epochs=epochs))
    assert [epoch.number for epoch in reported] == numbers


@pytest.mark.parametrize("optimiser", [SGD(momentum=0.9), AdamW()], ids=repr)
def test_training_learns(optimiser: SGD | AdamW) -> None:
    _, epochs = trained(recipe(steps=60, epochs=3, optimiser=optimiser, learning_rate=0.02, augmentation=STILL))
    assert epochs[-1].loss < 0.7 * epochs[0].loss


@pytest.mark.parametrize("optimiser", [SGD(), AdamW()], ids=repr)
def test_weights_stand_still_while_they_are_frozen_and_then_learn(optimiser: SGD | AdamW, tmp_path: Path) -> None:
    settings = replace(ALL_AT_ONCE, optimiser=optimiser, pretrained="weights@12", frozen=0.5)
    built, file, changed = network(), tmp_path / "checkpoint", []
    before = {name: tensor.detach().clone() for name, tensor in built.named_parameters()}

    def look(step: int, done: float, write: Write) -> None:
        now = {name for name, tensor in built.named_parameters() if not torch.equal(tensor, before[name])}
        changed.append({name.partition(".")[0] for name in now})
        if step == 2:
            write(file)

    trained(settings, built, save=look)
    assert settings.steps == 6
    assert changed == [{"decoder", "head"}] * 3 + [{"encoder", "decoder", "head"}] * 3
    again, _ = trained(settings, resume=file)
    assert same(again, built)
    at_random, _ = trained(replace(settings, pretrained=None))
    assert not same(at_random, built)


@pytest.mark.parametrize("stopped", [1, 3, 4, 5])
@pytest.mark.parametrize("optimiser", [SGD(), AdamW()], ids=repr)
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    stopped: int, optimiser: SGD | AdamW, tmp_path: Path
) -> None:
    settings, plan = replace(ALL_AT_ONCE, optimiser=optimiser), StepPlan()
    whole, epochs = trained(settings, with_dropout(), plan=plan)
    file = tmp_path / "checkpoint.safetensors"
    before, heard = with_dropout(), []

    def stop(step: int, done: float, write: Write) -> None:
        if step == stopped:
            write(file)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(before, SAMPLES, settings, seed=3, save=stop, plan=plan, report=heard.append)
    after, rest = trained(settings, with_dropout(seed=5), resume=file)
    assert same(whole, after)
    assert heard + rest == epochs
    assert read_checkpoint(file).plan == plan


def test_regions_are_trained_and_scored_and_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    whole, epochs = trained(recipe(), targets=REGIONS)
    _, of_classes = trained(recipe())
    assert [len(epoch.training_dice) for epoch in (*epochs, *of_classes)] == [3, 3, 2, 2]
    assert [epoch.loss for epoch in epochs] != [epoch.loss for epoch in of_classes]
    file = tmp_path / "checkpoint"
    trained(recipe(), targets=REGIONS, save=lambda step, done, write: write(file) if step == 4 else None)
    again, rest = trained(recipe(), targets=REGIONS, resume=file)
    assert same(whole, again)
    assert rest == epochs[1:]


def test_a_checkpoint_that_was_written_before_there_were_regions_is_gone_on_from(
    checkpoint: bytes, tmp_path: Path
) -> None:
    file, told = tmp_path / "checkpoint", b'\\"regions\\": null, '
    assert told in checkpoint
    file.write_bytes(checkpoint.replace(told, b" " * len(told)))
    assert same(trained(recipe(), resume=file)[0], trained(recipe())[0])


def with_dropout(seed: int = 0) -> Network:
    return network(DROPOUT, patch=32, rungs=9, seed=seed)


def test_writing_checkpoints_changes_nothing(tmp_path: Path) -> None:
    plain, _ = trained(ALL_AT_ONCE)
    saved, _ = trained(ALL_AT_ONCE, save=lambda step, done, write: write(tmp_path / "checkpoint"))
    assert same(plain, saved)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("checkpoint") / "file"
    trained(recipe(), save=lambda step, done, write: write(file) if step == 2 else None)
    return file.read_bytes()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("cut in half", lambda content: content[: len(content) // 2]),
        ("without its last byte", lambda content: content[:-1]),
        ("empty", lambda content: b""),
        ("a pickle", lambda content: b"\x80\x04cos\nsystem\n(S'exit'\ntR."),
        ("another header", lambda content: content.replace(b'\\"format\\": 2', b'\\"format\\": 9')),
        ("no state", lambda content: content.replace(b'"state"', b'"stale"')),
        ("a tensor less", lambda content: content.replace(b"optimiser.0.exp_avg\"", b"optimiser.x.exp_avg\"")),
    ],
)  # fmt: skip
def test_a_damaged_checkpoint_is_refused(name: str, damage: object, checkpoint: bytes, tmp_path: Path) -> None:
    damaged = damage(checkpoint)  # type: ignore[operator]
    assert damaged != checkpoint
    file = tmp_path / "checkpoint"
    file.write_bytes(damaged)
    with pytest.raises(CheckpointError, match="checkpoint"):
        trained(recipe(), resume=file)


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file written by nas"):
        trained(recipe(), resume=tmp_path / "nothing")


@pytest.mark.parametrize("other", ["network", "recipe", "seed", "regions"])
def test_another_trainings_checkpoint_is_refused(other: str, checkpoint: bytes, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    file.write_bytes(checkpoint)
    built = network("U-Net BN", rungs=9) if other == "network" else network()
    with pytest.raises(CheckpointError, match="it is another's"):
        train(
            built,
            SAMPLES,
            recipe(steps=9) if other == "recipe" else recipe(),
            seed=4 if other == "seed" else 3,
            targets=REGIONS if other == "regions" else EACH_CLASS,
            resume=file,
        )


def test_a_failed_write_leaves_the_earlier_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    held: list[Write] = []
    trained(recipe(), save=lambda step, done, write: held.append(write))
    held[-1](file)
    content = file.read_bytes()
    script = (
        "import resource, sys; from pathlib import Path; from tests.training.test_loop import *\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(content) // 2},) * 2)\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"try: trained(recipe(), save=lambda step, done, write: write(Path({str(file)!r})))\n"
        "except OSError as error: print('refused', error)\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "refused" in found.stdout
    assert file.read_bytes() == content
    assert [left.name for left in tmp_path.iterdir()] == ["checkpoint"]


def test_parts_of_a_batch_add_up_to_the_whole() -> None:
    """Without batch norm, and with a loss that is a mean over patches, a batch in parts trains as one."""
    found = []
    for parts in (1, 2):
        built, _ = trained(recipe(accumulation=parts, optimiser=SGD(), augmentation=STILL, loss=mean_loss(), steps=3))
        found.append(built)
    for a, b in zip(found[0].parameters(), found[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def mean_loss() -> object:
    from nas.training.losses import Loss, Single

    class CrossEntropy(Loss):
        def function(self, targets: Targets = EACH_CLASS) -> Single:
            return lambda scores, label: torch.nn.functional.cross_entropy(scores, label[:, 0].long())

    return CrossEntropy()


def test_averaged_weights_replace_the_last_ones() -> None:
    last, _ = trained(recipe(averaging=0.0))
    averaged, _ = trained(recipe(averaging=0.99))
    start = network()
    for a, b, c in zip(last.parameters(), averaged.parameters(), start.parameters(), strict=True):
        if not torch.equal(a, c):
            assert not torch.equal(a, b)


def test_a_loss_that_is_no_number_ends_training_with_its_reason() -> None:
    broken = [replace(SAMPLES[0], image=torch.full_like(SAMPLES[0].image, float("inf")))]
    with pytest.raises(DivergedError, match="the loss became nan"):
        train(network(), broken, recipe(augmentation=STILL), seed=0)


def limited(most: int, *, with_segments: int | None = None) -> Network:
    """A network for which the allocator refuses memory, as it does when there is none, for more than `most` patches."""
    built = network("U-Net BN", patch=16, rungs=9)

    def allocate(module: Network, inputs: tuple[torch.Tensor]) -> None:
        if len(inputs[0]) > (with_segments if module.segments and with_segments else most):
            torch.empty(2**55, dtype=torch.uint8)

    built.register_forward_pre_hook(allocate)  # type: ignore[arg-type]
    return built


@pytest.mark.parametrize(
    ("built", "parts", "segments"),
    [(limited(8), 1, 0), (limited(4), 2, 0), (limited(2), 4, 0), (limited(1, with_segments=2), 4, 8)],
    ids=["enough", "half a batch", "two patches", "two patches, computed twice"],
)
def test_where_memory_runs_out_a_batch_is_computed_in_smaller_parts(built: Network, parts: int, segments: int) -> None:
    steps: list[int] = []
    plan = train(built, SAMPLES, recipe(batch=8), seed=0, step_done=steps.append).plan
    assert (plan.accumulation, plan.segments) == (parts, segments)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert all("can't allocate memory" in note for note in plan.notes)


def test_where_nothing_helps_training_is_given_up_with_the_bytes() -> None:
    built = limited(0)
    with pytest.raises(OutOfMemoryError, match=r"2 patches at once.*can't allocate memory") as caught:
        train(built, SAMPLES, recipe(), seed=0)
    assert isinstance(caught.value, torch.OutOfMemoryError)
    assert caught.value.needed == 2 * built.graph.training_bytes
    assert all(parameter.grad is None for parameter in built.parameters())


def test_any_other_error_is_not_taken_for_a_lack_of_memory() -> None:
    def fail(module: Network, inputs: tuple[torch.Tensor]) -> None:
        raise RuntimeError("something else")

    built = network()
    built.register_forward_pre_hook(fail)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="something else"):
        train(built, SAMPLES, recipe(), seed=0)


@pytest.mark.slow
def test_memory_is_flat_over_200_trainings() -> None:
    import psutil

    from nas.training import validate

    process, sizes = psutil.Process(), []
    for number in range(200):
        built = network("U-Net BN", patch=32, rungs=8, seed=number)
        train(built, SAMPLES, recipe(steps=3), seed=number)
        validate(built, [sample((32, 32))])
        sizes.append(process.memory_info().rss)
    grown = max(sizes[150:]) - max(sizes[20:50])
    assert grown < 20 * 2**20, f"{grown / 2**20:.1f} MiB more after 200 trainings than after 50"


def test_a_network_that_cannot_be_compiled_after_all_is_trained_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise torch._dynamo.exc.InternalTorchDynamoError("no compiler here")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: refused)
    built, plain = network(), network()
    plan = train(built, SAMPLES, recipe(), seed=3, plan=StepPlan(compiled=True)).plan
    train(plain, SAMPLES, recipe(), seed=3, plan=StepPlan())
    assert same(built, plain)
    assert not plan.compiled
    assert plan.notes == ("compiled False: no compiler here",)


def test_a_recipe_without_steps_is_trained_for_its_seconds_and_its_rate_follows_the_clock() -> None:
    clock = iter([0.0, *range(0, 1000, 10)])
    pace = Timed(given=100.0, reserve=20.0, clock=lambda: float(next(clock)))
    moments = [pace.after(step) for step in range(10)]
    shares = [moment.done for moment in moments]
    assert shares == sorted(shares)
    # Ten seconds a step: of a hundred, twenty are kept for what follows.
    assert shares.index(1.0) == 8
    assert moments[4].step == pytest.approx(1 / 8)


def test_a_timed_training_ends_with_its_last_epoch_and_says_how_many_steps_it_took() -> None:
    epochs: list[Epoch] = []
    result = train(network(), SAMPLES, recipe(steps=None, epochs=3), seed=3, report=epochs.append, seconds=0.5)
    assert epochs[-1].number == 3
    assert result.steps >= 1
    with pytest.raises(InputError, match="recipe steps: found none"):
        train(network(), SAMPLES, recipe(steps=None), seed=3)


def test_seconds_before_an_interruption_count() -> None:
    assert Timed(given=10.0, spent=9.0, clock=lambda: 0.0).after(5).done == pytest.approx(9 / 10)


def test_a_network_that_finds_nothing_is_ended_early_with_the_reason() -> None:
    blind = network()
    head = list(blind.parameters())[-1]
    with torch.no_grad():
        head[0] = 100.0  # the background, whatever is seen
    heard: list[Epoch] = []
    settings = recipe(steps=10, epochs=5, learning_rate=1e-9, augmentation=STILL)
    with pytest.raises(NotLearningError, match="after 60% of its training nothing but background"):
        train(blind, SAMPLES, settings, seed=3, report=heard.append)
    assert len(heard) == 3


def test_a_training_without_time_makes_one_step() -> None:
    clock = iter([0.0, 0.1, 0.2])
    pace = Timed(given=0.0, clock=lambda: next(clock))
    assert [pace.after(step).done < 1 for step in (0, 1)] == [True, False]
