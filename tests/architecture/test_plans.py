"""Networks of nnU-Net's plans are the published members; what cannot be expressed is refused with its field."""

from typing import Any

import pytest

from nas.architecture.plans import planned_network
from nas.catalog import load_space, task_of
from nas.errors import InputError
from nas.graph import trace

SPACE = load_space("unet_family")
MEMBERS = {member.name: member for member in SPACE.members}


def plans(stages: int, kind: str = "PlainConvUNet", most: int = 320, **changed: Any) -> dict[str, Any]:
    """As nnU-Net's planner writes them."""
    residual = kind == "ResidualEncoderUNet"
    counts = (1, 3, 4, 6, 6, 6, 6)[:stages] if residual else (2,) * stages
    arguments = {
        "n_stages": stages,
        "features_per_stage": [min(32 * 2**stage, most) for stage in range(stages)],
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[3, 3, 3]] * stages,
        "strides": [[1, 1, 1], *[[2, 2, 2]] * (stages - 1)],
        "n_blocks_per_stage" if residual else "n_conv_per_stage": list(counts),
        "n_conv_per_stage_decoder": [1 if residual else 2] * (stages - 1),
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
        **changed,
    }
    name = f"dynamic_network_architectures.architectures.unet.{kind}"
    full = {
        "patch_size": [128, 128, 128],
        "spacing": [1.0, 1.0, 1.0],
        "normalization_schemes": ["ZScoreNormalization"],
        "architecture": {"network_class_name": name, "arch_kwargs": arguments, "_kw_requires_import": []},
    }
    cascade = {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"}
    return {"configurations": {"3d_fullres": full, "3d_lowres": {"inherits_from": "3d_fullres"}, "cascade": cascade}}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("nnU-Net", plans(4)),
        ("nnU-Net, 6 stages", plans(6)),
        (
            "nnU-Net, thick slices",
            plans(
                6,
                strides=[[1, 1, 1], *map(list, MEMBERS["nnU-Net, thick slices"].strides or ())],
                kernel_sizes=[list(kernel) for kernel in MEMBERS["nnU-Net, thick slices"].kernels or ()],
            ),
        ),
        ("nnU-Net ResEnc-M, 5 stages", plans(5, "ResidualEncoderUNet")),
        ("nnU-Net ResEnc-L, 6 stages", plans(6, "ResidualEncoderUNet")),
    ],
)
def test_a_plan_is_the_published_member(name: str, document: dict[str, Any]) -> None:
    member = MEMBERS[name]
    architecture, task = planned_network(document, "3d_fullres", member.classes)
    graph = trace(architecture, task)
    assert graph.parameters == member.parameters
    assert graph.digest == trace(member.architecture, task).digest
    assert (task.strides, task.kernels)[: 2 if member.strides else 0] == (task_of(member).strides, member.kernels)[
        : 2 if member.strides else 0
    ]
    assert SPACE.decide(SPACE.read(architecture)) == architecture


def test_what_a_configuration_inherits_counts() -> None:
    assert planned_network(plans(4), "3d_lowres", 2) == planned_network(plans(4), "3d_fullres", 2)


def test_plans_of_the_first_releases_say_the_same() -> None:
    document = plans(5)
    full = document["configurations"]["3d_fullres"]
    arguments = full.pop("architecture")["arch_kwargs"]
    early = full | {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": 32,
        "unet_max_num_features": 320,
        "n_conv_per_stage_encoder": arguments["n_conv_per_stage"],
        "n_conv_per_stage_decoder": arguments["n_conv_per_stage_decoder"],
        "pool_op_kernel_sizes": arguments["strides"],
        "conv_kernel_sizes": arguments["kernel_sizes"],
    }
    assert planned_network({"configurations": {"2": early}}, "2", 2) == planned_network(plans(5), "3d_fullres", 2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"features_per_stage": [32, 48, 96, 192]}, "features_per_stage: found .* widths that double"),
        ({"features_per_stage": "many"}, "features_per_stage: found 'many', expected 4 whole numbers"),
        ({"dropout_op": "torch.nn.Dropout3d"}, "dropout_op: found .*, expected it not to be set"),
        ({"conv_bias": False}, "conv_bias: found False"),
        ({"norm_op": "torch.nn.LayerNorm"}, "norm_op: found 'torch.nn.LayerNorm', expected one of InstanceNorm"),
        ({"norm_op_kwargs": {"affine": False}}, "norm_op_kwargs: .*expected affine true"),
        ({"norm_op_kwargs": "affine"}, "norm_op_kwargs: found 'affine', expected an object"),
        ({"nonlin": "torch.nn.Tanh"}, "nonlin: found 'torch.nn.Tanh'"),
        ({"nonlin_kwargs": {"negative_slope": 0.2}}, "nonlin_kwargs: .*negative_slope of 0.01"),
        ({"strides": [[2, 2, 2]] * 4}, "strides: found .*a first stage at full resolution"),
        ({"strides": [[1, 1, 1]] * 4}, "strides: found .*every stage but the first to be coarser"),
        ({"strides": [[1, 1], *[[2, 2, 2]] * 3]}, "strides: found .*as many axes at each stage"),
        ({"strides": 2}, "strides: found 2, expected a list"),
        ({"kernel_sizes": [[3, 3, 3]] * 3}, "kernel_sizes: found 3, expected one for each of 4 stages"),
        ({"kernel_sizes": [[3, 3]] * 4}, "kernel_sizes: found .*as many axes as strides"),
    ],
)
def test_what_cannot_be_expressed_is_refused_with_its_field(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=f"plans: 3d_fullres: PlainConvUNet: {reason}"):
        planned_network(plans(4, **changed), "3d_fullres", 2)


@pytest.mark.parametrize(
    ("document", "configuration", "reason"),
    [
        ({}, "2d", "has no 'configurations'"),
        ({"configurations": []}, "2d", "has no 'configurations'"),
        (plans(4), "3d_fulres", "no configuration '3d_fulres'; did you mean '3d_fullres'"),
        (plans(4), "cascade", "cascade sees what 3d_lowres predicted"),
        (plans(4, "PrimusM"), "3d_fullres", "network_class_name: found .*PrimusM', expected PlainConvUNet or"),
        ({"configurations": {"2d": {"inherits_from": "2d"}}}, "2d", "inherits from itself"),
        ({"configurations": {"2d": {}}}, "2d", "has no field 'architecture'"),
        ({"configurations": {"2d": {"architecture": 3}}}, "2d", "architecture: found 3, expected an object"),
        ({"configurations": {"2d": {"inherits_from": ["x"]}}}, "2d", "has no configuration"),
    ],
)
def test_other_plans_are_refused(document: dict[str, Any], configuration: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"plans: .*{reason}"):
        planned_network(document, configuration, 2)


def test_bottlenecks_are_refused() -> None:
    block = "dynamic_network_architectures.building_blocks.residual.BottleneckD"
    with pytest.raises(InputError, match="block: found"):
        planned_network(plans(4, "ResidualEncoderUNet", block=block), "3d_fullres", 2)
