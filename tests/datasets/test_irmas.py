import zipfile

import numpy as np
import pytest

from helpers import audio
from helpers.config import InputError
from helpers.datasets import irmas
from helpers.datasets import irmas as irmas_checks
from helpers.datasets.base import split_by_group

OFFICIAL_NAMES = ("cel/008__[cel][nod][cla]0058__1", "cel/[cel][cla]0058__2", "voi/[voi][dru][pop_roc]2310__1")


@pytest.fixture
def corpus(tmp_path):
    """Three training clips and two test excerpts in the official layout."""
    silence = np.zeros(4410, np.float32)
    for name in OFFICIAL_NAMES:
        audio.write(tmp_path / "IRMAS-TrainingData" / f"{name}.wav", silence, 44_100)
    part = tmp_path / "IRMAS-TestingData-Part1" / "Part1"
    for number, labels in enumerate((b"gel\t\r\n\r\nVOI \r\n", b"pia")):
        audio.write(part / f"Some - Song-{number}.wav", silence, 44_100)
        (part / f"Some - Song-{number}.txt").write_bytes(labels)
    return tmp_path


def test_training_labels_and_recordings_come_from_official_names(corpus):
    found = {clip.name: clip for clip in irmas.clips(corpus, "train")}
    assert [found[name.split("/")[1]].labels for name in OFFICIAL_NAMES] == [(0,), (0,), (10,)]
    assert [found[name.split("/")[1]].group for name in OFFICIAL_NAMES] == ["0058", "0058", "2310"]


@pytest.mark.parametrize(("folder", "name", "faulty"), [
    ("cla", "[cla][cla]0150__1", False), ("cel", "[cla][cla]0150__1", True),
    ("gel", "[gel][dru][pop_roc]0829__1", False), ("pia", "[cel][nod][cla]0058__1", True), ("cel", "cello-01", False),
])
def test_the_first_tag_in_a_name_is_the_instrument(tmp_path, folder, name, faulty):
    audio.write(tmp_path / "IRMAS-TrainingData" / folder / f"{name}.wav", np.zeros(100, np.float32), 44_100)
    problems = irmas.validate(tmp_path).problems
    assert any("the name says" in problem for problem in problems) == faulty


def test_clips_without_official_name_take_the_folder_as_label(corpus):
    audio.write(corpus / "IRMAS-TrainingData" / "flu" / "flute-01.wav", np.zeros(100, np.float32), 44_100)
    (clip,) = (clip for clip in irmas.clips(corpus, "train") if clip.name == "flute-01")
    assert clip.labels == (irmas.CODES.index("flu"),)
    assert clip.group == "flu/flute-01"


def test_label_files_forgive_tabs_case_and_line_ends(corpus):
    first, second = irmas.clips(corpus, "test")
    assert [irmas.CODES[label] for label in first.labels] == ["gel", "voi"]
    assert [irmas.CODES[label] for label in second.labels] == ["pia"]
    assert first.group == second.group == "Some - Song"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "no such file"),
        (b"pia\nxyz", "line 2: 'xyz'"),
        (b" \r\n", "no instrument"),
        (b"\xff\xfe\x81", "is not UTF-8 text"),
    ],
)
def test_faulty_label_files_are_one_line(tmp_path, content, fault):
    path = tmp_path / "excerpt.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=fault) as error:
        irmas.read_labels(path)
    assert "\n" not in str(error.value)


def test_unknown_folder_names_the_file(corpus):
    audio.write(corpus / "IRMAS-TrainingData" / "tuba" / "tuba-01.wav", np.zeros(100, np.float32), 44_100)
    with pytest.raises(InputError, match=r"tuba-01\.wav: folder 'tuba'"):
        irmas.clips(corpus, "train")


def test_clips_of_one_recording_stay_on_one_side(tmp_path):
    for recording in range(20):
        for number in range(1, 4):
            path = tmp_path / "IRMAS-TrainingData" / "sax" / f"[sax][jaz_blu]{recording:04d}__{number}.wav"
            audio.write(path, np.zeros(10, np.float32), 44_100)
    left, right = split_by_group(irmas.clips(tmp_path, "train"), (0.8, 0.2))
    assert len(right) == 12
    assert not {clip.group for clip in left} & {clip.group for clip in right}


def test_validate_collects_faults(corpus):
    part = corpus / "IRMAS-TestingData-Part1" / "Part1"
    (part / "Some - Song-1.txt").unlink()
    (part / "Some - Song-0.wav").write_bytes(b"no audio")
    audio.write(corpus / "IRMAS-TrainingData" / "cel" / "[sax][jaz_blu]1111__1.wav", np.zeros(10, np.float32), 44_100)
    report = irmas_checks.validate(corpus)
    assert report.data == "subset"
    assert report.counts == {"train": 4, "test": 2}
    for fault in ("the name says 'sax'", "Song-1.txt: no such file", "Song-0.wav: cannot be read", "cel 3 of 388"):
        assert sum(fault in problem for problem in report.problems) == 1


def test_the_real_folder_loads(shared_data):
    found = irmas.clips(shared_data, "train")
    assert {irmas.CODES[clip.labels[0]] for clip in found} == {"cel", "flu", "pia", "sax", "tru"}
    assert len(found) == 59


def test_unpacking_goes_on_and_stays_inside(tmp_path):
    archive, folder = tmp_path / "a.zip", tmp_path / "out"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("IRMAS-TrainingData/cel/one.wav", "abc")
        content.writestr("IRMAS-TrainingData/cel/two.wav", "abcd")
    whole = folder / "IRMAS-TrainingData" / "cel" / "one.wav"
    whole.parent.mkdir(parents=True)
    whole.write_text("xyz")
    irmas_checks.unpack(archive, folder)
    assert whole.read_text() == "xyz"  # was there in full
    assert whole.with_name("two.wav").read_text() == "abcd"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("../outside.wav", "abc")
    with pytest.raises(InputError, match="outside"):
        irmas_checks.unpack(archive, folder)
    archive.write_bytes(b"PK damaged")
    with pytest.raises(InputError, match="damaged archive"):
        irmas_checks.unpack(archive, folder)


def test_a_clip_without_sound_is_a_problem(corpus):
    audio.write(corpus / "IRMAS-TrainingData" / "cel" / "[cel][cla]0059__1.wav", np.zeros(0, np.float32), 44_100)
    assert sum("0059__1.wav: holds no audio" in problem for problem in irmas.validate(corpus).problems) == 1
