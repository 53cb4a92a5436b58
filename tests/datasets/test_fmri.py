"""Names, places and lists of the music-genre fMRI stimuli."""

import numpy as np
import pytest

from helpers import audio
from helpers.config import InputError
from helpers.datasets import fmri
from helpers.datasets.gtzan import GENRES


def test_a_name_says_column_row_genre_clip_and_length():
    stimulus = fmri.parse("run_dataset/reggae/Test_run-06-40_reggae.00013_15s.wav")
    assert stimulus == fmri.Stimulus("test", 6, 40, "reggae", "reggae.00013", 15.0)
    assert fmri.parse("Training_run-12-01_rock.00099_15s_noise.wav").part == "train"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("reggae.00013.wav", "not a stimulus name"),
        ("Test_run-06-40_polka.00013_15s.wav", "polka"),
        ("Test_run-07-01_rock.00013_15s.wav", "1 to 6"),
        ("Test_run-01-41_rock.00013_15s.wav", "1 to 40"),
        ("Train_run-13-01_rock.00013_15s.wav", "1 to 12"),
        ("Test_run-00-01_rock.00013_15s.wav", "1 to 6"),
    ],
)
def test_bad_names_are_refused_in_one_line(name, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        fmri.parse(name)
    assert "\n" not in str(caught.value)


def test_two_tracks_in_one_place_are_one_line(tmp_path):
    names = ["Test_run-01-01_rock.00001_15s.wav", "Test_run-01-01_rock.00001_15s_noise.wav"]
    for name in names:
        audio.write(tmp_path / name, np.zeros(800), 8000)
    assert len(fmri.clips(tmp_path, "test")) == 2  # a copy of the same track
    audio.write(tmp_path / "Test_run-01-01_rock.00002_15s.wav", np.zeros(800), 8000)
    with pytest.raises(InputError, match=r"run 1, row 1: rock.00001 and rock.00002"):
        fmri.clips(tmp_path, "test")


def test_clips_come_in_order_with_labels_from_their_names(tmp_path):
    for name in ("Test_run-02-01_rock.00001_15s.wav", "Test_run-01-02_jazz.00003_15s.wav",
                 "Train_run-01-01_pop.00004_15s.wav"):
        audio.write(tmp_path / name.split("_")[2].split(".")[0] / name, np.zeros(800), 8000)
    clips = fmri.clips(tmp_path, "test")
    assert [clip.group for clip in clips] == ["jazz.00003", "rock.00001"]
    assert [GENRES[clip.labels[0]] for clip in clips] == ["jazz", "rock"]
    list_file = tmp_path / "train_list.txt"
    list_file.write_text("pop/Train_run-01-01_pop.00004_15s.wav\n")
    assert [clip.group for clip in fmri.listed(list_file, tmp_path, "train")] == ["pop.00004"]
    list_file.write_text("pop/Train_run-01-01_pop.00005_15s.wav\n")
    with pytest.raises(InputError, match="not there"):
        fmri.listed(list_file, tmp_path, "train")


def test_the_order_of_a_part_is_a_table_of_rows_and_runs():
    names = ["x/Test_run-06-40_reggae.00013_15s.wav", "Test_run-01-02_rock.00001_15s.wav",
             "Train_run-12-01_pop.00002_15s.wav"]
    test, train = (fmri.order_table(names, part) for part in ("test", "train"))
    assert (test.shape, train.shape) == ((40, 6), (40, 12))
    assert (test[39, 5], test[1, 0], train[0, 11]) == ("reggae.00013", "rock.00001", "pop.00002")
    assert (test != "").sum() == 2 and (train != "").sum() == 1
    with pytest.raises(InputError, match=r"test run 1, row 2: rock.00001 and rock.00007; remove one"):
        fmri.order_table([*names, "Test_run-01-02_rock.00007_15s.wav"], "test")
