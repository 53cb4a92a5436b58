"""The generated corpora lie as the official ones do; sizes, names, labels and formats are right."""

import json
import re

import numpy as np
import pytest
import soundfile

from helpers import audio
from helpers.datasets.film_sources import Sources
from helpers.datasets.nsynth import FAMILIES
from helpers.demo import films, irmas, nsynth

QUALITIES = (
    "bright", "dark", "distortion", "fast_decay", "long_release",
    "multiphonic", "nonlinear_env", "percussive", "reverb", "tempo-synced",
)  # fmt: skip


def examples(root, split):
    return json.loads((root / "nsynth" / f"nsynth-{split}" / "examples.json").read_text(encoding="utf-8"))


def test_nsynth_entries_are_complete_and_match_the_files(demo_root):
    assert tuple(nsynth.FAMILIES) == FAMILIES
    for split in ("train", "valid", "test"):
        listed = examples(demo_root, split)
        files = {path.stem: path for path in (demo_root / "nsynth" / f"nsynth-{split}" / "audio").glob("*.wav")}
        assert set(files) == set(listed)
        for name, entry in listed.items():
            assert set(entry) == {
                "note", "note_str", "instrument", "instrument_str", "pitch", "velocity", "sample_rate", "qualities",
                "qualities_str", "instrument_family", "instrument_family_str", "instrument_source",
                "instrument_source_str",
            }  # fmt: skip
            assert name == entry["note_str"]
            assert name == f"{entry['instrument_str']}-{entry['pitch']:03d}-{entry['velocity']:03d}"
            assert FAMILIES[entry["instrument_family"]] == entry["instrument_family_str"]
            named = [q for q, on in zip(QUALITIES, entry["qualities"], strict=True) if on]
            assert named == entry["qualities_str"]
        info = soundfile.info(next(iter(files.values())))
        assert (info.samplerate, info.frames, info.channels, info.subtype) == (16_000, 64_000, 1, "PCM_16")


def test_nsynth_splits_share_no_instrument_and_test_has_no_lead(demo_root):
    train, valid, test = (list(examples(demo_root, split).values()) for split in ("train", "valid", "test"))
    names = [{entry["instrument_str"] for entry in split} for split in (train, valid, test)]
    assert sum(map(len, names)) == len(set.union(*names))
    assert {entry["instrument_family_str"] for entry in train} == set(FAMILIES)
    assert {entry["instrument_family_str"] for entry in test} == set(FAMILIES) - {"synth_lead"}


def test_qualities_of_known_notes():
    from helpers.demo.build import generator
    from helpers.demo.kinds import draw

    time = np.arange(64_000) / 16_000
    bell = np.sin(2 * np.pi * 3000 * time) * np.exp(-time / 0.2)
    drone = np.sin(2 * np.pi * 110 * time)
    player = draw("flute", generator(0, "flute"))
    assert {"bright", "percussive", "fast_decay"} <= {q for q, on in nsynth.qualities(bell, player).items() if on}
    found = {q for q, on in nsynth.qualities(drone, player).items() if on}
    assert "dark" in found and not found & {"bright", "percussive", "fast_decay", "nonlinear_env"}


def test_irmas_training_clips(demo_root):
    root = demo_root / "irmas" / "IRMAS-TrainingData"
    assert {folder.name for folder in root.iterdir()} == set(irmas.KINDS)
    recordings = {}
    for path in root.glob("*/*.wav"):
        match = re.fullmatch(r"\[(\w{3})\](\[(?:dru|nod)\])?\[(\w+)\](\d{4})__(\d)\.wav", path.name)
        assert match and match[1] == path.parent.name and match[3] in irmas.TAGS
        recordings.setdefault(match[4], set()).add(match[1])
        info = soundfile.info(path)
        assert (info.samplerate, info.frames, info.channels) == (44_100, 132_300, 2)
    assert all(len(codes) == 1 for codes in recordings.values())


def test_irmas_test_excerpts_have_labels(demo_root):
    counts = []
    for part in (1, 2, 3):
        paths = sorted((demo_root / "irmas" / f"IRMAS-TestingData-Part{part}" / f"Part{part}").glob("*.wav"))
        assert paths
        for path in paths:
            codes = path.with_suffix(".txt").read_text(encoding="utf-8").split()
            assert codes and set(codes) <= set(irmas.KINDS)
            assert len(set(codes)) == len(codes)
            assert 5 <= soundfile.info(path).duration <= 20
            counts.append(len(codes))
    assert max(counts) > 1


def test_chmusic_has_eleven_instruments_and_five_pieces(demo_root):
    names = {path.name for path in (demo_root / "chmusic").iterdir()}
    assert names == {f"{instrument}.{piece}.wav" for instrument in range(1, 12) for piece in range(1, 6)}
    assert soundfile.info(demo_root / "chmusic" / "11.5.wav").duration % 5 == 0


def test_gtzan_has_ten_genres_of_tracks(demo_root):
    folders = sorted((demo_root / "gtzan" / "genres").iterdir())
    assert [folder.name for folder in folders] == [
        "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock",
    ]  # fmt: skip
    for folder in folders:
        assert [path.name for path in sorted(folder.iterdir())] == [f"{folder.name}.{n:05d}.wav" for n in range(3)]
    info = soundfile.info(folders[0] / "blues.00000.wav")
    assert (info.samplerate, info.channels, info.duration) == (22_050, 1, 6.0)


def test_nothing_is_silent_or_clipped(demo_root):
    for path in demo_root.rglob("*.wav"):
        wave = audio.read(path, soundfile.info(path).samplerate)
        assert wave.std() > 1e-3, path
        assert np.mean(np.abs(wave) > 0.99) < 0.001, path


def test_film_sources_follow_the_format(demo_root):
    sources = Sources.model_validate_json((demo_root / "films" / "sources.json").read_text(encoding="utf-8"))
    assert [source.split for source in sources.sources] == ["train", "valid", *["test"] * 4]
    for source in sources.sources:
        length = audio.length(demo_root / "films" / source.file)
        assert {name for segment in source.segments for name in segment.instruments} == set(sources.instruments)
        assert any(len(segment.instruments) > 1 for segment in source.segments)
        assert all(a.end <= b.start for a, b in zip(source.segments, source.segments[1:], strict=False))
        assert source.segments[-1].end + source.offset <= length + 0.1


def test_films_hold_a_picture_and_stereo_sound(demo_root):
    import av

    with av.open(str(demo_root / "films" / "demo_train.mp4")) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (sound.rate, sound.layout.name) == (48_000, "stereo")
        assert len(np.unique(next(container.decode(video=0)).to_ndarray())) > 20


def test_labels_stand_where_a_track_sounds():
    wave = np.zeros(4 * films.RATE, np.float32)
    wave[films.RATE : 2 * films.RATE] = 0.5
    wave[3 * films.RATE : round(3.5 * films.RATE)] = 0.3
    spans = films.heard(films.Track("erhu", 10.0, wave), limit=13.2)
    assert np.allclose(spans, [(11.0, 12.0), (13.0, 13.2)], atol=0.011)


def test_overlapping_claims_become_segments_with_both_instruments():
    found = films.segments([("pipa", 1.0, 3.0), ("erhu", 2.0, 4.0), ("gong", 6.0, 7.0)], leader=1.0)
    assert [(s["start"], s["end"], s["instruments"]) for s in found] == [
        (0.0, 1.0, ["pipa"]), (1.0, 2.0, ["erhu", "pipa"]), (2.0, 3.0, ["erhu"]), (5.0, 6.0, ["gong"]),
    ]  # fmt: skip


@pytest.mark.parametrize("rounds", [1, 3])
def test_every_round_of_scenes_has_every_instrument_alone(rounds):
    scenes = films.deck(rounds, np.random.default_rng(0))
    assert len(scenes) == 8 * rounds
    assert sorted(scene[0] for scene in scenes if len(scene) == 1) == sorted(list(films.INSTRUMENTS) * rounds)
