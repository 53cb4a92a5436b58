import numpy as np
import pytest
import torch
import torchinfo

from helpers.models import build
from helpers.models.base import parameter_count
from helpers.models.multistft import NINE_VIEWS, SAMPLE_RATE, THREE_BANDS, TRANSFORMS, BandSpectrograms, FilterBank
from helpers.models.panns import first_convolutions


@pytest.fixture(scope="module")
def three_band():
    return build("three_band", 11).eval()


def test_parameters_are_those_of_the_slides(three_band):
    assert parameter_count(three_band) == 8_598_603
    assert [parameter_count(branch) for branch in three_band.encoder.branches] == [1_550_784] * 3
    sizes = [parameter_count(layer) for layer in three_band.head if parameter_count(layer)]
    assert sizes == [2_360_832, 3_072, 1_180_416, 1_536, 393_728, 1_024, 5_643]


def test_multiply_adds_are_those_of_the_slides(three_band):
    summary = torchinfo.summary(three_band, (1, 3 * SAMPLE_RATE), verbose=0)
    assert round(summary.total_mult_adds / 1e9, 2) == 2.12
    assert summary.total_params == summary.trainable_params == 8_598_603


def tone(frequency, seconds=3.0):
    return torch.sin(2 * torch.pi * frequency * torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)[None]


@pytest.mark.parametrize(("frequency", "band"), [(500.0, 0), (2_500.0, 1), (7_000.0, 2)])
def test_a_tone_lies_in_its_band_at_its_height(frequency, band):
    views = BandSpectrograms(THREE_BANDS, normalise=False)(tone(frequency))
    assert views.shape == (1, 3, 128, 100)
    assert int(views.amax(dim=(2, 3)).argmax()) == band
    low, high = THREE_BANDS[band].low, THREE_BANDS[band].high
    row = int(views[0, band].mean(dim=1).argmax())
    assert row == pytest.approx(128 * (frequency - low) / (high - low), abs=3)


def test_a_late_sound_lies_late_in_every_view():
    waveform = tone(500.0) + tone(2_500.0) + tone(7_000.0)
    waveform[:, : 2 * SAMPLE_RATE] = 0
    views = BandSpectrograms(NINE_VIEWS, normalise=False)(waveform)
    assert views.shape == (1, 9, 128, 100)
    level = views.amax(dim=2)[0]  # [9, 100]
    assert (level[:, 75:95].min(dim=1).values > level[:, :60].max(dim=1).values).all()


def test_normalised_views_have_mean_0_and_deviation_1_at_any_level():
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3 * SAMPLE_RATE)).astype(np.float32))
    frontend = BandSpectrograms(THREE_BANDS, normalise=True)
    views = frontend(noise)
    torch.testing.assert_close(views.mean(dim=(2, 3)), torch.zeros(1, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(views.std(dim=(2, 3)), torch.ones(1, 3), atol=1e-3, rtol=0)
    torch.testing.assert_close(frontend(noise * 1e-3), views, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("samples", [100, 22_050, 200_000])
def test_any_length_and_silence_give_finite_logits(three_band, samples):
    with torch.inference_mode():
        assert torch.isfinite(three_band(torch.zeros(1, samples))).all()


def test_nine_branches_are_full_extractors():
    model = build("nine_branch", 11).eval()
    assert [parameter_count(branch) for branch in model.encoder.branches] == [1_550_784] * 9
    assert model(tone(440.0)).shape == (1, 11)
    assert parameter_count(build("nine_branch", 11, channels=[2, 4])) < 1_500


def test_every_branch_starts_from_panns_weights():
    widths, state = (1, 64, 128, 256, 512), {}
    for block in range(1, 5):
        kernel = torch.zeros(widths[block], widths[block - 1], 5, 5)
        kernel[..., 1:4, 1:4] = block  # Cnn6: what lies around the inner 3x3 is left out
        state[f"conv_block{block}.conv1.weight"] = kernel
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"conv_block{block}.bn1.{part}"] = torch.full((widths[block],), 0.5)
    model = build("three_band", 11)
    model.encoder.load_panns(state)
    for branch in model.encoder.branches:
        assert [set(block[0].weight.unique().tolist()) for block in branch.blocks] == [{1.0}, {2.0}, {3.0}, {4.0}]
        assert branch.blocks[3][1].running_var.unique().tolist() == [0.5]
    assert first_convolutions(state)["blocks.0.0.weight"].shape == (64, 1, 3, 3)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_an_octave_is_a_tone_higher_up_in_every_bank_and_level_does_not_count(transform):
    frontend = FilterBank(transform)
    rows = [int(frontend(0.1 * tone(hertz))[0, 0].mean(dim=1).argmax()) for hertz in (160.0, 640.0, 2_560.0)]
    expected = {  # row of 128 from the formula of each scale
        "mel": [2595 * np.log10(1 + hertz / 700) for hertz in (80, 160, 640, 2_560, 11_025)],
        "gammatone": [np.log10(1 + 4.37e-3 * hertz) for hertz in (80, 160, 640, 2_560, 11_025)],
        "constant-Q": [18 * np.log2(hertz / 80) for hertz in (80, 160, 640, 2_560, 80 * 2 ** (127 / 18))],
    }[transform]
    low, *middle, high = expected
    assert rows == pytest.approx([127 * (place - low) / (high - low) for place in middle], abs=1.5)
    torch.testing.assert_close(frontend(tone(500.0)), frontend(1e-2 * tone(500.0)), atol=1e-2, rtol=1e-2)
    network = build("one_branch", 3, transform=transform, channels=[2, 2, 4, 4]).eval()
    with torch.autocast("cpu", torch.bfloat16):  # as in training
        assert torch.isfinite(network(torch.zeros(1, 9))).all()
