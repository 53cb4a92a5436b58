import io
import pickle

import librosa
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.config import InputError
from helpers.models import build, panns

WIDTHS = {
    "panns_cnn6": (64, 128, 256, 512),
    "panns_cnn10": (64, 128, 256, 512),
    "panns_cnn14": (64, 128, 256, 512, 1024, 2048),
}


def published(name, seed=0):
    """Random weights under the key names and in the shapes of the files on Zenodo."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    def norm(prefix, width):
        return {f"{prefix}.weight": 1 + 0.1 * random(width), f"{prefix}.bias": 0.1 * random(width),
                f"{prefix}.running_mean": 0.1 * random(width), f"{prefix}.running_var": 1 + 0.2 * random(width).abs(),
                f"{prefix}.num_batches_tracked": torch.tensor(7)}

    basis = np.fft.fft(np.eye(1024))[:513] * librosa.filters.get_window("hann", 1024)
    state = {
        "spectrogram_extractor.stft.conv_real.weight": torch.tensor(basis.real[:, None], dtype=torch.float32),
        "spectrogram_extractor.stft.conv_imag.weight": torch.tensor(basis.imag[:, None], dtype=torch.float32),
        "logmel_extractor.melW": torch.from_numpy(
            librosa.filters.mel(sr=32_000, n_fft=1024, n_mels=64, fmin=50, fmax=14_000).T.copy()
        ),
        **norm("bn0", 64),
    }
    state["bn0.running_mean"] = state["bn0.running_mean"] - 30  # decibels
    state["bn0.running_var"] = state["bn0.running_var"] * 200
    kernel = 5 if name == "panns_cnn6" else 3
    inputs = 1
    for block, outputs in enumerate(WIDTHS[name], start=1):
        for layer in range(1, 2 if name == "panns_cnn6" else 3):
            scale = (2 / (inputs * kernel**2)) ** 0.5
            state[f"conv_block{block}.conv{layer}.weight"] = random(outputs, inputs, kernel, kernel) * scale
            state |= norm(f"conv_block{block}.bn{layer}", outputs)
            inputs = outputs
    state["fc1.weight"], state["fc1.bias"] = random(inputs, inputs) / inputs**0.5, random(inputs)
    state["fc_audioset.weight"], state["fc_audioset.bias"] = random(527, inputs), random(527)
    return state


def reference_embedding(state, waveform):
    """PANNs' embedding from librosa and the definitions in the paper; nothing of helpers.models is used."""
    spectrum = librosa.stft(waveform, n_fft=1024, hop_length=320, window="hann", pad_mode="reflect")
    mel = librosa.filters.mel(sr=32_000, n_fft=1024, n_mels=64, fmin=50, fmax=14_000) @ np.abs(spectrum) ** 2
    x = torch.from_numpy(10 * np.log10(np.maximum(mel.T, 1e-10)))[None, None].float()  # [1, 1, frames, mel]

    def norm(prefix, value, axis):
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        mean, var, weight, bias = (
            state[f"{prefix}.{part}"].view(shape) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (value - mean) / torch.sqrt(var + 1e-5) * weight + bias

    x = norm("bn0", x, 3)
    blocks = sorted({int(key[10]) for key in state if key.startswith("conv_block")})
    for block in blocks:
        for layer in (1, 2):
            if f"conv_block{block}.conv{layer}.weight" in state:
                kernel = state[f"conv_block{block}.conv{layer}.weight"]
                x = norm(f"conv_block{block}.bn{layer}", F.conv2d(x, kernel, padding=kernel.shape[-1] // 2), 1).clamp(0)
        x = x if block == 6 else F.avg_pool2d(x, 2)
    x = x.mean(3)
    x = x.max(2).values + x.mean(2)
    return (x @ state["fc1.weight"].T + state["fc1.bias"]).clamp(0)[0]


@pytest.mark.parametrize("name", WIDTHS)
def test_embedding_equals_the_reference(name):
    state = published(name)
    waveform = np.random.default_rng(0).standard_normal(24_000).astype(np.float32) * 0.1
    model = build(name, 11).eval()
    panns.load_backbone(model, state)
    with torch.inference_mode():
        embedding = model.embed(torch.from_numpy(waveform)[None])[0]
        expected = reference_embedding(state, waveform)
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(embedding, expected, atol=1e-4, rtol=1e-4)


def test_the_mel_matrix_is_that_of_librosa():
    expected = librosa.filters.mel(sr=32_000, n_fft=1024, n_mels=64, fmin=50, fmax=14_000).T
    np.testing.assert_allclose(panns.PannsFrontend().mel.numpy(), expected, atol=1e-6)


def test_clips_shorter_than_a_window_have_an_embedding():
    model = build("panns_cnn10", 5).eval()
    assert model(torch.zeros(2, 100)).shape == (2, 5)


def test_files_are_read_nested_and_with_numpy_state(tmp_path):
    state = {"conv_block1.conv1.weight": torch.ones(64, 1, 3, 3)}
    sampler = {"pointer": 3, "indexes": np.arange(5)}
    torch.save({"iteration": 1, "model": state, "sampler": sampler}, tmp_path / "nested.pth")
    torch.save(state, tmp_path / "flat.pth")
    for name in ("nested.pth", "flat.pth"):
        assert panns.read_panns(tmp_path / name)["conv_block1.conv1.weight"].sum() == 576


class Malicious:
    """Would print when unpickled carelessly."""

    def __reduce__(self):
        return print, ("executed",)


def test_files_with_code_or_without_weights_are_refused(tmp_path, capsys):
    torch.save({"model": Malicious()}, tmp_path / "code.pth")
    torch.save({"model": {"weight": torch.ones(1)}}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Malicious()))
    (tmp_path / "cut.pth").write_bytes(_saved({"model": {"a": torch.ones(99)}})[:200])
    for name in ("code", "other", "text", "old", "cut", "absent"):
        with pytest.raises(InputError, match=name):
            panns.read_panns(tmp_path / f"{name}.pth")
    assert "executed" not in capsys.readouterr().out


def test_weights_of_another_network_are_one_line():
    with pytest.raises(InputError, match="another network") as error:
        panns.load_backbone(build("panns_cnn10", 11), published("panns_cnn6"))
    assert "\n" not in str(error.value)


def _saved(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()
