"""`python -m helpers genre` and `augment` from the outside: any file is used or named in one line."""

import numpy as np
import pytest
import soundfile
from genre_pieces import RATE, SECONDS, piece, write

from helpers import audio
from helpers.__main__ import main
from helpers.models.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gtzan"))


@pytest.fixture(scope="module")
def checkpoint(corpus, tmp_path_factory):
    """A checkpoint of the pooled model trained on the corpus by the command."""
    path = tmp_path_factory.mktemp("checkpoint") / "gtzan.pt"
    train = ["genre", "train", "--model", "pooled_lda", "--split", "track", "--out", str(path)]
    assert main([*train, "--genres", "blues,jazz,metal", "--data-root", str(corpus)]) == 0
    command = load_checkpoint(path, "gtzan").command
    assert all(part in command for part in ("genre train ", "--genres jazz", "--split track"))
    return path


def predict(checkpoint, *files):
    return main(["genre", "predict", *map(str, files), "--checkpoint", str(checkpoint)])


def test_three_genres_a_file_the_right_one_first(checkpoint, tmp_path, capsys):
    for genre in ("blues", "jazz", "metal"):
        audio.write(tmp_path / f"{genre}.flac", piece(genre, 40, 12.0), RATE)
    assert predict(checkpoint, *sorted(tmp_path.glob("*.flac"))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].split()[0] for line in lines] == ["blues", "jazz", "metal"]
    assert all(line.count("%") == 3 for line in lines)


@pytest.mark.parametrize("kind", ["8 bit", "96 kHz", "stereo", "shorter than a window", "45 s"])
def test_unusual_files_are_used(checkpoint, tmp_path, kind, capsys):
    path = tmp_path / "x.wav"
    if kind == "8 bit":
        soundfile.write(path, piece("metal", 41), RATE, subtype="PCM_U8")
    elif kind == "96 kHz":
        soundfile.write(path, np.repeat(piece("metal", 41, 3.0), 4), 96_000)
    elif kind == "stereo":
        soundfile.write(path, np.stack([piece("metal", 41), piece("metal", 42)], axis=1), RATE)
    else:
        soundfile.write(path, piece("metal", 41, {"shorter than a window": 1.0, "45 s": 45.0}.get(kind, SECONDS)), RATE)
    assert predict(checkpoint, path) == 0
    assert "metal" in capsys.readouterr().out


@pytest.mark.parametrize(
    "kind", ["0.1 s", "silent", "short and silent", "text", "empty", "missing", "not finite", "cut off"]
)
def test_useless_files_are_named_in_one_line_and_do_not_stop_the_others(checkpoint, tmp_path, kind, capsys):
    path, good = tmp_path / "bad.wav", tmp_path / "good.wav"
    audio.write(good, piece("jazz", 43), RATE)
    waveforms = {"0.1 s": piece("metal", 1, 0.1), "silent": np.zeros(10 * RATE), "short and silent": np.zeros(RATE),
                 "not finite": np.full(10 * RATE, np.nan)}
    if kind == "cut off":
        soundfile.write(path, piece("metal", 41), RATE)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind in waveforms:
        soundfile.write(path, waveforms[kind], RATE, subtype="FLOAT")
    elif kind != "missing":
        path.write_bytes(b"" if kind == "empty" else b"not audio at all")
    assert predict(checkpoint, path, good) == 2
    printed = capsys.readouterr()
    assert "good.wav: jazz" in printed.out
    assert printed.err.count("error:") == 1 and "bad.wav" in printed.err
    assert len([line for line in printed.err.splitlines() if "bad.wav" in line]) == 1
    assert "Traceback" not in printed.err


def test_a_tone_is_nearest_to_its_like(checkpoint, tmp_path, capsys):
    for genre, number in (("jazz", 44), ("jazz", 45), ("metal", 44), ("blues", 44)):
        audio.write(tmp_path / "library" / f"{genre}{number}.wav", piece(genre, number), RATE)
    (tmp_path / "library" / "broken.wav").write_bytes(b"x")
    query = tmp_path / "library" / "jazz44.wav"
    arguments = ["genre", "similar", str(query), "--in", str(tmp_path / "library"), "--checkpoint", str(checkpoint)]
    assert main([*arguments, "--count", "2"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert "jazz45.wav" in printed.out.splitlines()[0] and "jazz44.wav" not in printed.out
    assert "broken.wav" in printed.err
    assert main(["genre", "similar", str(query), "--in", str(tmp_path / "none"), "--checkpoint", str(checkpoint)]) == 2


def test_validate_names_damaged_files_and_fails(corpus, tmp_path, capsys):
    assert main(["genre", "validate", "--data-root", str(corpus)]) == 1  # seven genres are not there
    assert "genres/rock: no clip of this genre" in capsys.readouterr().out.replace("\\", "/")
    assert main(["genre", "validate", "--data-root", str(tmp_path)]) == 2
    assert "genre download" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["genre", "train", "--model", "vgg12"], "vgg12"),
        (["genre", "train", "--split", "all"], "--split filtered"),
        (["genre", "train", "--genres", "polka"], "polka"),
        (["genre", "table", "--models", "vgg12"], "vgg12"),
        (["augment", "--out", "."], "corpus itself"),
    ],
)
def test_bad_options_give_one_line_and_two(arguments, complaint, corpus, monkeypatch, capsys):
    monkeypatch.chdir(corpus)
    assert main([*arguments, "--data-root", str(corpus)]) == 2
    error = capsys.readouterr().err
    assert complaint in error and len(error.splitlines()) == 1
