import pytest
import torch

from helpers.models import build

MEL = {"sample_rate": 16_000, "hop_length": 320, "n_mels": 64, "f_min": 50.0}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build("cnn_var_time", 11, mel=MEL).eval()


@pytest.mark.parametrize("seconds", [0.05, 0.5, 3.0, 17.3])
def test_any_length_gives_one_score_a_class(model, seconds):
    with torch.inference_mode():
        logits = model(torch.randn(2, round(seconds * 16_000)))
    assert logits.shape == (2, 11)
    assert torch.isfinite(logits).all()


def test_scores_do_not_depend_on_playback_level(model):
    waveform = torch.randn(1, 48_000)
    with torch.inference_mode():
        torch.testing.assert_close(model(waveform), model(0.01 * waveform), atol=1e-3, rtol=1e-3)


def test_a_sound_is_noticed_wherever_it_comes(model):
    burst = torch.randn(1, 8_000)
    early, late = torch.zeros(1, 96_000), torch.zeros(1, 96_000)
    early[:, 16_000:24_000], late[:, 61_120:69_120] = burst, burst  # moved by 8.82 blocks of 16 frames
    moved = torch.roll(early, 16 * 320 * 8, dims=1)
    with torch.inference_mode():
        torch.testing.assert_close(model(early), model(moved), atol=1e-2, rtol=1e-2)
        assert not torch.allclose(model(early), model(torch.zeros(1, 96_000)), atol=1e-2)


def test_embedding_has_the_width_that_the_head_expects(model):
    assert model.embed(torch.randn(1, 16_000)).shape == (1, model.encoder.width) == (1, 128 * 4)
