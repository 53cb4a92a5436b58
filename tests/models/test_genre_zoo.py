"""Every model of the genre study builds, trains a step, saves, loads, predicts the same; parts by known answers."""

import warnings
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from helpers.config import InputError
from helpers.experiments.genres import MEL, ZOO
from helpers.models import MODELS, build
from helpers.models.base import KINDS, normalisation, parameter_count, renormalise
from helpers.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from helpers.models.linear import SOLVERS, OneVsOneSVM, Standardise, discriminant, linear_svm, solve

CLASSES = ["blues", "jazz", "rock"]
ARGUMENTS = {"mel": asdict(MEL)}
SAMPLES = 33_075  # 1.5 s: 65 frames, the least that AlexNet's pools leave something of
PARAMETERS = {  # with three classes
    "cnn_1d_5l": 792_067, "sample_cnn": 1_645_187, "cnn_2d_4l": 389_091, "cnn_2d_4l_gru": 980_451,
    "alexnet": 2_457_283, "vgg11": 9_226_371, "vgg13": 9_411_267, "vgg16": 14_723_523, "vgg19": 20_035_779,
    "googlenet": 5_596_707, "resnet34": 21_279_939, "resnet50": 23_507_907, "densenet121": 6_950_659,
    "auditory_pathway": 6_680_931,
}


@pytest.fixture(scope="module")
def batch():
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(2, SAMPLES, generator=generator)


def saved_and_loaded(path, name, model, **arguments):
    """The model as it comes back from a checkpoint."""
    recipe = {"arguments": {**ARGUMENTS, **arguments}, "classes": CLASSES, "sample_rate": 22_050, "seconds": 1.5}
    save_checkpoint(path, Checkpoint("gtzan", name, state=model.state_dict(), **recipe))
    return load_checkpoint(path, "gtzan").network()


def test_the_zoo_is_what_the_document_lists():
    assert set(PARAMETERS) | set(SOLVERS) == set(ZOO)
    assert set(ZOO) <= set(MODELS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_network_trains_a_step_and_comes_back_from_its_checkpoint(name, batch, tmp_path):
    torch.manual_seed(0)
    model = build(name, len(CLASSES), **ARGUMENTS)
    assert parameter_count(model) == PARAMETERS[name]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    before = [p.detach().clone() for p in model.parameters()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss = nn.functional.cross_entropy(model.train()(batch), torch.tensor([0, 2]))
        loss.backward()
        optimiser.step()
    changed = sum(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert changed > 0.9 * len(before)
    with torch.inference_mode():
        expected = model.eval()(batch)
        loaded = saved_and_loaded(tmp_path / "m.pt", name, model)
        assert expected.shape == (2, len(CLASSES))
        torch.testing.assert_close(loaded(batch), expected)
        assert loaded.embed(batch).shape == (2, loaded.encoder.width)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solved_model_separates_its_training_clips_and_comes_back(name, tmp_path):
    arguments = {"seconds": 1.5} if name == "scattering_svm" else {}
    model = build(name, len(CLASSES), **ARGUMENTS, **arguments)
    time = torch.arange(SAMPLES) / 22_050
    clips = torch.stack([torch.sin(2 * torch.pi * f * time) * (1 + 0.3 * torch.sin(2 * torch.pi * r * time))
                         for f, r in ((200, 2), (210, 2.2), (900, 5), (950, 5.5), (4000, 11), (4200, 12))])
    clips = 0.2 * clips + 0.01 * torch.randn(clips.shape, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    with torch.inference_mode():
        features = model.frontend(clips)
    solve(model, name, features, labels)
    if name == "pooled_lda_svm":
        arguments = {"vectors": len(clips)}
    with torch.inference_mode():
        expected = model(clips)
        assert expected.argmax(dim=1).tolist() == labels.tolist()
        loaded = saved_and_loaded(tmp_path / "m.pt", name, model, **arguments)
        torch.testing.assert_close(loaded(clips), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["cnn_1d_5l", "cnn_2d_4l", "auditory_pathway", "alexnet"])
def test_normalisation_is_an_argument(name, kind, batch):
    model = build(name, len(CLASSES), **ARGUMENTS, normalisation=kind)
    kinds = {"batch": (nn.BatchNorm1d, nn.BatchNorm2d), "instance": (nn.InstanceNorm1d, nn.InstanceNorm2d)}
    layers = [m for m in model.encoder.modules() if isinstance(m, kinds.get(kind, nn.GroupNorm))]
    assert layers
    assert torch.isfinite(model(batch)).all()


def test_normalisations_normalise_over_what_they_say():
    x = 3 + 2 * torch.randn(4, 16, 5, 6, generator=torch.Generator().manual_seed(0))
    over = {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}
    for kind, axes in over.items():
        y = normalisation(kind, 16)(x)
        torch.testing.assert_close(y.mean(dim=axes), torch.zeros_like(y.mean(dim=axes)), atol=1e-5, rtol=0)
    y = normalisation("group", 16)(x).reshape(4, 8, 2, 5, 6)
    torch.testing.assert_close(y.mean(dim=(2, 3, 4)), torch.zeros(4, 8), atol=1e-5, rtol=0)
    apart = x + torch.arange(16.0)[:, None, None]  # layer normalisation keeps what tells channels apart
    assert normalisation("layer", 16)(apart).reshape(4, 8, 2, 5, 6).mean(dim=(2, 3, 4)).abs().max() > 0.5
    with pytest.raises(InputError, match="weight"):
        normalisation("weight", 16)


def test_renormalise_leaves_no_batch_normalisation():
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Sequential(nn.BatchNorm2d(8), nn.ReLU()))
    renormalise(network, "group")
    assert [type(m) for m in network[1]] == [nn.GroupNorm, nn.ReLU]


def gaussian_classes(n=60, d=30):
    generator = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return generator.standard_normal((n, d)) + labels[:, None] * np.linspace(0, 1, d), labels


@pytest.mark.parametrize("d", [30, 200])  # fewer and more features than clips
@pytest.mark.parametrize("shrinkage", [0.4, 1.0])
def test_discriminant_equals_scikit_learns(d, shrinkage):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, labels = gaussian_classes(d=d)
    other = np.random.default_rng(1).standard_normal(x.shape)
    reference = LinearDiscriminantAnalysis("lsqr", shrinkage=shrinkage, priors=[1 / 3] * 3).fit(x + 3, labels)
    head = discriminant(torch.tensor(x + 3), torch.tensor(labels), 3, shrinkage)
    scores = head(torch.tensor(other + 3).float()).detach()
    np.testing.assert_allclose(torch.log_softmax(scores, dim=1), reference.predict_log_proba(other + 3), atol=1e-3)


def test_a_class_without_clips_never_wins():
    x, labels = gaussian_classes()
    scores = discriminant(torch.tensor(x), torch.tensor(labels), 4, 0.4)(torch.tensor(x).float())
    assert (scores.argmax(dim=1) < 3).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_two_classes_of_three_and_one_class_of_two(name):
    x, labels = gaussian_classes()
    x, labels = torch.tensor(x[labels < 2]).float(), torch.tensor(labels[labels < 2] * 2)
    arguments = {"seconds": 1.5} if name == "scattering_svm" else {}
    model = build(name, 3, **ARGUMENTS, **arguments)
    model.encoder = Standardise([30])
    solve(model, name, x, labels)
    predicted = model.head(model.encoder(x)).argmax(dim=1)
    assert (predicted == labels).float().mean() > 0.9
    with pytest.raises(InputError, match="one class only"):
        solve(model, name, x[labels == 0], labels[labels == 0])


def test_support_vectors_equal_scikit_learns():
    from sklearn.svm import LinearSVC

    x, labels = gaussian_classes()
    reference = LinearSVC(C=0.5, tol=1e-8, max_iter=100_000).fit(x, labels)
    head = linear_svm(torch.tensor(x), torch.tensor(labels), 3, 0.5)
    np.testing.assert_allclose(head.weight.detach(), reference.coef_, atol=1e-3)
    np.testing.assert_allclose(head.bias.detach(), reference.intercept_, atol=1e-3)


def test_standardise_gives_every_block_the_same_weight():
    x = torch.randn(500, 12, generator=torch.Generator().manual_seed(0)) * 5 + 3
    layer = Standardise([2, 10])
    layer.estimate(x)
    energy = layer(x).square().sum(dim=0) / len(x)
    assert energy[:2].sum() == pytest.approx(1.0, abs=1e-4)
    assert energy[2:].sum() == pytest.approx(1.0, abs=1e-4)


def test_pairs_vote_as_scikit_learns_one_against_one_machine():
    from sklearn.svm import SVC

    x, labels = gaussian_classes()
    machines = OneVsOneSVM(x.shape[1], 3, len(x))
    machines.fit(torch.tensor(x).float(), torch.tensor(labels))
    reference = SVC(C=10.0, gamma="scale").fit(x, labels)
    new = np.random.default_rng(1).standard_normal((40, x.shape[1])) + 0.5
    scores, theirs = machines(torch.tensor(new).float()).numpy(), reference.decision_function(new)
    assert (scores.argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.97
    np.testing.assert_allclose(scores - scores.mean(axis=1, keepdims=True), theirs - theirs.mean(axis=1, keepdims=True),
                               atol=0.02)
