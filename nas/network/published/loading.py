"""Reads a state dict of another library into a network of the same structure."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from nas.errors import InputError
from nas.graph import Graph
from nas.network.published.layout import Layout
from nas.network.published.matching import Matching, ends_of, layout_of, unwrapped


def load_published(module: nn.Module, state_dict: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Put the weights of another library's network into a member of the same structure.

    Known are the state dicts of torchvision and timm (ResNet, SE-ResNet, ResNeSt), segmentation-models-pytorch (U-Net,
    U-Net++, LinkNet, DeepLabv3+ over such encoders), MONAI (AttentionUnet, ResNet, VNet, SegResNet, MedNeXt),
    dynamic-network-architectures (PlainConvUNet, ResidualEncoderUNet) and tiramisu-brulee (Tiramisu). Channels
    are put in another order where a concatenation is. A convolution that has no bias there gets one of zeros. What
    neither names nor shapes tell (strides, dilations, activations) is not checked.

    Args:
        module: what `nas.build` made; changed in place, unless something is raised.
        state_dict: tensors by name, as they were saved there.

    Returns:
        The names of the module's tensors that the state dict does not have, and that stay as they were: all that
        follows an encoder, where it holds an encoder alone.

    Raises:
        InputError: the module is no network of nas, no library is known that names layers so, or the structures
            differ; the message says at which name and shape.
    """
    try:
        return _loaded(module, graph_of(module), state_dict)
    except InputError as error:
        raise InputError(f"load_published: {error}") from None


def graph_of(module: nn.Module) -> Graph:
    """The graph of a network of nas.

    Raises:
        InputError: it is none.
    """
    graph = getattr(module, "graph", None)
    if not isinstance(graph, Graph):
        raise InputError(f"found a {type(module).__name__}, expected a network that nas.build made")
    return graph


def _loaded(module: nn.Module, graph: Graph, state_dict: Mapping[str, Tensor]) -> tuple[str, ...]:
    published = unwrapped(state_dict)
    ends = ends_of(graph)
    layout = layout_of(published, ends)
    target = module.state_dict()
    loaded = Matching(graph, layout, ends, target).read(published)
    kept = [name for name in target if name not in loaded]
    beside = () if not layout.is_encoder else tuple(n for n in kept if n.partition(".")[0] not in ("stem", "encoder"))
    expect_complete((name for name in kept if name not in beside), layout)
    module.load_state_dict(loaded, strict=False)
    return tuple(name for name in kept if not name.endswith("num_batches_tracked"))


def expect_complete(kept: Iterable[str], layout: Layout) -> None:
    """Refuse a state dict that lacks tensors which the network needs.

    Raises:
        InputError: naming the first of them.
    """
    for name in kept:
        if not name.endswith("num_batches_tracked"):
            raise InputError(
                f"nothing in the state dict, named as {layout.source} does, is {name}; give the state dict "
                "of a network of the same structure"
            )
