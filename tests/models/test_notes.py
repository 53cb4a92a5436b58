"""All note models: shapes, gradients, sizes by hand, and the ensemble as the mean of its members."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from torch import nn

from helpers.config import InputError, MelConfig
from helpers.models import LINEAGES, build
from helpers.models.base import parameter_count
from helpers.models.notes import MODELS, add_priors

MEL = asdict(MelConfig(n_fft=512, hop_length=512, n_mels=96))
SMALL = {
    "short_chunk_cnn": {"channels": 8},
    "short_chunk_cnn_res": {"channels": 8},
    "compact_cnn": {"channels": [4, 8, 8]},
    "spectrogram_transformer": {"width": 16, "depth": 2, "heads": 2},
    "ensemble": {"channels": [4, 8]},
}


def small(name: str, n_classes: int = 11, **mel: object) -> nn.Module:
    """A narrow version, quick to run."""
    arguments = {"mel": {**MEL, **mel}, **SMALL[name]}
    if name == "ensemble":
        members = [{"name": "compact_cnn", "seed": seed, **arguments} for seed in range(2)]
        arguments = {"members": members, "weights": [3.0, 1.0]}
    return build(name, n_classes, **arguments)


def four_seconds(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 64_000, generator=torch.Generator().manual_seed(1))


def test_every_note_model_is_tested() -> None:
    assert SMALL.keys() == MODELS.keys() == set(LINEAGES["notes"])


@pytest.mark.parametrize("mel", [{}, {"hop_length": 256, "n_mels": 128}], ids=["default", "fine"])
@pytest.mark.parametrize("name", SMALL)
def test_four_seconds_give_finite_logits(name: str, mel: dict) -> None:
    model = small(name, 5, **mel).eval()
    with torch.inference_mode():
        logits = model(four_seconds())
    assert logits.shape == (2, 5)
    assert torch.isfinite(logits).all()
    assert not torch.allclose(logits[0], logits[1])


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str) -> None:
    model = small(name)
    nn.functional.cross_entropy(model(four_seconds(4)), torch.tensor([0, 3, 5, 10])).backward()
    for parameter, weights in model.named_parameters():
        assert weights.grad is not None and torch.isfinite(weights.grad).all(), parameter
        assert weights.grad.abs().sum() > 0, parameter


@pytest.mark.parametrize("name", [name for name in SMALL if name != "ensemble"])
def test_parts_make_the_whole(name: str) -> None:
    model = small(name).eval()
    with torch.inference_mode():
        embedding = model.embed(four_seconds())
        assert embedding.shape == (2, model.encoder.width)
        torch.testing.assert_close(model.head(embedding), model(four_seconds()))
    of_blocks = {id(p) for block in model.encoder.blocks for p in block.parameters()}
    assert of_blocks and of_blocks <= {id(p) for p in model.encoder.parameters()}


@pytest.mark.parametrize("name", SMALL)
def test_notes_do_not_hear_each_other(name: str) -> None:
    model, waves = small(name).eval(), four_seconds(3)
    with torch.inference_mode():
        torch.testing.assert_close(model(waves)[1:2], model(waves[1:2]), rtol=1e-3, atol=1e-4)


def conv_bn(inputs: int, outputs: int, kernel: int = 3) -> int:
    """Weights of a convolution without bias, and scale and shift of its normalisation."""
    return inputs * outputs * kernel**2 + 2 * outputs


def by_hand(name: str) -> int:
    """Number of parameters of the default model for 96 bands and 11 classes, from the papers' layer tables."""
    if name.startswith("short_chunk"):
        pairs = [(1, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 256), (256, 512)]
        plain = sum(conv_bn(i, o) for i, o in pairs)
        residual = sum(conv_bn(o, o) + conv_bn(i, o, 1) for i, o in pairs) if name.endswith("res") else 0
        return plain + residual + 512 * 11 + 11
    if name == "spectrogram_transformer":
        layer = 12 * 128**2 + 13 * 128  # attention 4 d² + 4 d, two linear layers 8 d² + 5 d, two norms 4 d
        patches = conv_bn(1, 32) + 32 * 128 * 8**2 + 128
        return 4 * layer + patches + 128 * (6 + 7) + 2 * 128 + 128 * 11 + 11  # 6 x 7 patches of 16 x 16
    return parameter_count(build(name, 11, mel=MEL))


@pytest.mark.parametrize("name", ["short_chunk_cnn", "short_chunk_cnn_res", "spectrogram_transformer"])
def test_sizes_are_those_of_the_papers(name: str) -> None:
    assert parameter_count(build(name, 11, mel=MEL)) == by_hand(name)


def test_size_of_the_compact_cnn() -> None:
    pairs = [(4, 8), (8, 8)]
    blocks = sum(conv_bn(i, o) + conv_bn(o, o) + conv_bn(i, o, 1) for i, o in pairs)
    mix = (4 * 8 * 12) * 256 + 256 + 2 * 256  # onset, middle, maximum, release of 8 channels x 12 of 96 bands
    assert parameter_count(small("compact_cnn")) == conv_bn(1, 4, 5) + blocks + mix + 256 * 11 + 11


def test_default_compact_cnn_ships_in_twenty_megabytes() -> None:
    assert 4 * parameter_count(build("compact_cnn", 11, mel=MEL)) < 20e6


def test_ensemble_is_the_weighted_mean_of_its_members_log_probabilities() -> None:
    model, waves = small("ensemble").eval(), four_seconds()
    with torch.no_grad():
        for member in model.members:  # other statistics of the input in each
            member.frontend.standardise.running_mean.normal_()
    with torch.inference_mode():
        first, second = (member(waves).log_softmax(dim=1) for member in model.members)
        given = model(waves)
    torch.testing.assert_close(given, (0.75 * first + 0.25 * second).log_softmax(dim=1))
    torch.testing.assert_close(given.exp().sum(dim=1), torch.ones(2))
    assert not torch.allclose(first, second)


def test_members_may_have_other_front_ends() -> None:
    coarse = {"name": "short_chunk_cnn", "mel": {**MEL, "n_mels": 32, "compression": "linear"}, "channels": 4}
    fine = {"name": "compact_cnn", "mel": MEL, "channels": [4, 8]}
    model, waves = build("ensemble", 5, members=[coarse, fine]).eval(), four_seconds()
    with torch.inference_mode():
        wanted = sum(member(waves).log_softmax(dim=1) for member in model.members) / 2
        torch.testing.assert_close(model(waves), wanted.log_softmax(dim=1))


def test_priors_move_the_posterior_by_their_ratio() -> None:
    model, waves = small("compact_cnn", 3).eval(), four_seconds()
    with torch.inference_mode():
        before = model(waves).softmax(dim=1)
        add_priors(model.head, [0.5, 0.3, 0.2], [0.25, 0.5, 0.25])
        ratio = before * torch.tensor([0.5 / 0.25, 0.3 / 0.5, 0.2 / 0.25])
        torch.testing.assert_close(model(waves).softmax(dim=1), ratio / ratio.sum(dim=1, keepdim=True))


def test_input_statistics_are_means_over_all_batches() -> None:
    frontend = small("compact_cnn").train().frontend
    batches = [four_seconds(3) * level for level in (1.0, 0.1, 0.01)]
    means = [10 * frontend.power(batch).add(1e-10).log10().mean(dim=(0, 2)) / 10 for batch in batches]
    for batch in batches:
        frontend(batch)
    torch.testing.assert_close(frontend.standardise.running_mean, torch.stack(means).mean(dim=0), rtol=1e-4, atol=1e-4)


def test_unknown_models_and_arguments_are_bad_input() -> None:
    with pytest.raises(InputError, match="model 'resnet_999': unknown; choose one of"):
        build("resnet_999", 11)
    with pytest.raises(InputError, match=r"model 'compact_cnn': does not take these arguments \(.*'width'"):
        build("compact_cnn", 11, mel=MEL, width=3)


def test_few_points_are_convolved_in_float32() -> None:
    """Gradients of the last residual block were not finite in bfloat16 after some twenty batches of real notes."""
    network = small("short_chunk_cnn_res").train()
    kinds = []
    for block in network.encoder.blocks:
        block.first[0].register_forward_hook(lambda module, inputs, output: kinds.append(output.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        network(torch.randn(2, 64_000))
    assert kinds[0] == torch.bfloat16 and kinds[-1] == torch.float32
