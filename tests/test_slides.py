"""The slide report: pages, labels, numbers that follow the metrics, and errors that name file and field."""

import json
import re
import time

import pypdf
import pytest
import report_folder

from helpers.__main__ import main
from helpers.config import InputError
from helpers.evaluation import results as metrics
from helpers.reporting import slides

COVER = slides.Cover("r12345678", "A. Student", "https://example.org/code")
NAMELESS = slides.Cover()
HOMEWORK = slides.Cover("r12345678", "A. Student", "https://example.org/code", "homework")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return report_folder.write_report(tmp_path_factory.mktemp("report"), "demo")


@pytest.fixture(scope="module")
def deck(folder):
    return slides.build(folder, COVER)


@pytest.fixture(scope="module")
def pages(deck):
    assert deck.path.name == "r12345678_report.pdf" and not deck.missing
    return pypdf.PdfReader(deck.path).pages


def texts(folder, cover=NAMELESS):
    pages = pypdf.PdfReader(slides.build(folder, cover).path).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def test_every_page_is_16_to_9(pages):
    assert 14 <= len(pages) <= 24
    for page in pages:
        assert abs(float(page.mediabox.width) / float(page.mediabox.height) - 16 / 9) < 1e-3


def test_the_homework_deck_is_nsynth_only_and_ten_to_twelve_pages(folder):
    deck = slides.build(folder, HOMEWORK)
    assert deck.path.name == "r12345678_homework.pdf" and not deck.missing and not deck.overfull
    texts = [page.extract_text() for page in pypdf.PdfReader(deck.path).pages]
    assert 10 <= len(texts) <= 12
    assert "https://example.org/code" in texts[0]
    assert not [text for text in texts if "GTZAN" in text or "IRMAS" in text]


# What the homework asks for, task by task, and the page of the deck that has it.
TASKS = {
    "nine spectrograms": ("nine training notes", "window 2048 samples", "hop 512", "in dB", "torchaudio",
                          "guitar acoustic 009: at full level after 10 ms", "vocal acoustic 003: "),
    "features": ("Level", "Hann windows of 2048 samples", "20 MFCC", "Pooling", "Standardisation", "block 9"),
    "models": ("StandardScaler, WithinGroupWhitening, SVC(", "Whitening: the covariance", "gamma: 0.0001, 0.0003",
               "71 %", "66 %", "5 folds"),
    "ablation": ("Pooling, from mean to quantiles: k-NN 70 % to 80 %", "Scaling of columns, from none", "Level of"),
    "classic results": ("top-1", "top-3", "Extra trees: 83 %"),
    "network": ("cross entropy, label smoothing 0.1", "AdamW, weight decay 0.05", "from a rate of 0.002", "Selection",
                "Augmentation"),
    "log and linear": ("0.001", "0.90", "Log minus linear", "validation loss at rate"),
    "confusion": ("log mel: top-1 91 %, top-3 98 %", "linear mel: top-1 85 %, top-3 97 %"),
    "networks": ("short chunk CNN res", "1,234,567", "75 % top-1 is published", "990 of 289,205 notes",
                 "not comparable"),
}


def test_every_requirement_of_the_homework_stands_on_one_page(folder):
    pages = [text.replace("\u200b", "") for text in texts(folder, HOMEWORK)]
    for what, words in TASKS.items():
        assert any(all(word in page for word in words) for page in pages), what


def test_one_page_a_slide(pages, deck):
    assert len(deck.slides) == len(pages)


def test_no_text_runs_into_the_footer_unless_it_is_too_long(deck, tmp_path):
    assert deck.overfull == []
    long = report_folder.write_report(tmp_path, parts=("02_classic",))
    result = metrics.read(long / "metrics" / "02_classic.json")
    result.details["chosen_by"] = "a very long reason " * 60
    metrics.write(long / "metrics" / "02_classic.json", result)
    assert slides.build(long, COVER).overfull == [3]


def test_title_slide_names_student_and_link(pages):
    text = pages[0].extract_text()
    assert "r12345678" in text and "A. Student" in text and "https://example.org/code" in text


def test_every_result_slide_carries_its_label(pages, deck):
    for page, slide in zip(pages, deck.slides, strict=True):
        if slide["data"]:
            assert re.search("demo, (n = |.* notes)", page.extract_text()), slide["title"]


def test_no_text_is_smaller_than_14_points(pages):
    def check(text, _, matrix, font, size):
        assert not text.strip() or abs(size * matrix[3] or size * matrix[1]) >= 13.9 or size >= 13.9, (text, size)

    for page in pages:
        page.extract_text(visitor_text=check)


def test_numbers_and_readings_follow_the_metrics(tmp_path):
    folder = report_folder.write_report(tmp_path, parts=("03_nsynth",))
    path = folder / "metrics" / "03_nsynth.json"
    page = texts(folder)[3]
    assert "Log mel 91 %, linear mel 85 %: not clearly different" in page and "interval holds zero" in page
    result = metrics.read(path)
    result.scores["cnn, linear mel"]["top1"] = metrics.Score(value=0.52, low=0.45, high=0.6)
    result.details["log_minus_linear_top1"] = {"value": 0.39, "low": 0.3, "high": 0.48}
    metrics.write(path, result)
    page = texts(folder)[3]
    assert "Log mel 91 %, linear mel 52 %: a clear difference" in page
    assert "39 points (30 to 48). Zero lies outside" in page


def test_the_headline_is_the_system_chosen_before_the_test(tmp_path):
    folder = report_folder.write_report(tmp_path, parts=("02_classic",))
    scores = metrics.read(folder / "metrics" / "02_classic.json").scores
    assert max(scores, key=lambda name: scores[name]["top1"].value) != "extra_trees"
    assert "Extra trees: 83 % of the notes of unseen instruments" in texts(folder)[4]


def test_every_score_has_an_interval_or_says_why_not(tmp_path):
    folder = report_folder.write_report(tmp_path, parts=("03_nsynth",))
    path = folder / "metrics" / "03_nsynth.json"
    result = metrics.read(path)
    result.scores["cnn, linear mel"]["top1"] = metrics.Score(value=0.5, low=0.5, high=0.5)
    metrics.write(path, result)
    page = texts(folder)[3]
    assert "50 % too few groups" in page and "85–97" in page


def test_parts_without_metrics_are_left_out_and_named(tmp_path, capsys):
    folder = report_folder.write_report(tmp_path, "subset", parts=("01_mel", "02_classic"))
    assert main(["report", "--out", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "left out, no metrics yet: 03_nsynth, 04_irmas, " in printed
    assert len(pypdf.PdfReader(folder / "report.pdf").pages) == 11


def test_same_input_gives_the_same_bytes(tmp_path):
    folder = report_folder.write_report(tmp_path, parts=("01_mel",))
    first = slides.build(folder, COVER).path.read_bytes()
    time.sleep(1.1)  # a time stamp would differ
    assert slides.build(folder, COVER).path.read_bytes() == first


ONLY = {"value": 0.5, "low": 0.4, "high": 0.6}


def drop_figure(folder):
    (folder / "figures" / "02_importance.svg").unlink()


def damage_figure(folder):
    (folder / "figures" / "01_nine.svg").write_text("<svg")


def not_json(folder):
    (folder / "metrics" / "02_classic.json").write_text("{")


def change(field, value):
    def fault(folder):
        path = folder / "metrics" / "02_classic.json"
        content = json.loads(path.read_text())
        content[field] = value
        path.write_text(json.dumps(content))

    return fault


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (drop_figure, r"02_classic\.json: figures\.0: .*02_importance\.svg is not there"),
        (change("figures", ["../../x.svg"]), r"02_classic\.json: figures\.0: .*"),
        (damage_figure, r"figures.01_nine\.svg: cannot be shown"),
        (not_json, r"02_classic\.json: is not JSON"),
        (change("n", "many"), r"02_classic\.json: n: "),
        (change("scores", {"svm": {"top1": {"value": 0.5, "low": 0.4}}}), r"classic\.json: scores\.svm\.top1\.high: "),
        (change("scores", {"svm": {"top1": ONLY}}), r"02_classic\.json: scores\.extra_trees: is missing; "),
        (change("scores", {"extra_trees": {"top3": ONLY}}), r"02_classic\.json: scores\.extra_trees: has no top1; "),
    ],
)
def test_faults_are_one_line_with_file_and_field_and_leave_the_old_pdf(tmp_path, capsys, fault, message):
    folder = report_folder.write_report(tmp_path, parts=("01_mel", "02_classic"))
    (folder / "report.pdf").write_bytes(b"old")
    fault(folder)
    assert main(["report", "--out", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and re.search(message, error), error
    assert (folder / "report.pdf").read_bytes() == b"old"


def test_no_metrics_at_all(tmp_path):
    with pytest.raises(InputError, match=r"metrics: holds no metrics of any part"):
        slides.build(tmp_path, COVER)


def test_student_id_becomes_a_file_name(capsys):
    assert main(["report", "--student-id", "../x"]) == 2
    assert "not a student id" in capsys.readouterr().err


def test_the_model_that_was_chosen_is_shown_however_many_are_better(tmp_path):
    folder = report_folder.write_report(tmp_path, parts=("06_gtzan",))
    path = folder / "metrics" / "06_gtzan.json"
    result = metrics.read(path)
    result.scores = {f"Net {n:02d}": {"accuracy": report_folder.score(0.9 - n / 50)} for n in range(20)}
    result.details["best_on_validation"] = "Net 19"
    metrics.write(path, result)
    page = next(text for text in texts(folder) if "Net 00" in text)
    shown = sorted(set(re.findall(r"Net \d\d", page.split("ten genres")[1])))
    assert shown == [f"Net {n:02d}" for n in (*range(8), 19)]
