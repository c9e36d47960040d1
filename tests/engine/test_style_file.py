# SPDX-License-Identifier: GPL-3.0-or-later
"""Style files: what is written is read again, and what does not fit is refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.guides import registry as guides
from engine.networks.activation_ranges import ActivationRanges, Range, calibrate
from engine.networks.device import Device
from engine.networks.style_file import load_resume, load_style, network_for, save_resume, save_style
from engine.shared.errors import PaintoverError
from engine.shared.style_header import STYLE_VERSION, StyleHeader

NAMES = ["colour", "normal", "projection"]


def header(**changes) -> StyleHeader:
    whole = StyleHeader("small", NAMES, guides.channels(NAMES), {3: "abc"}, {"alpha": "learnt"})
    return dataclasses.replace(whole, **changes)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "style.safetensors"
    save_style(path, network_for(header()).state_dict(), header())
    return path


def test_a_style_comes_back_as_it_was(path):
    torch.manual_seed(1)
    network = network_for(header())
    save_style(path, network.state_dict(), header(steps=7))
    loaded, read, activations, _ = load_style(path)
    assert read == header(steps=7) and activations is None
    assert loaded.alpha and loaded.projection
    x = torch.randn(1, read.channels, 12, 16)
    assert torch.equal(loaded(x), network.eval()(x))
    assert path.stat().st_mode & 0o044, "others may not read it"


def ranges_of(network) -> ActivationRanges:
    examples = [torch.randn(1, network.channels, 12, 16) for _ in range(2)]
    return calibrate(network.eval(), Device(torch.device("cpu"), torch.float32), examples)


def test_what_a_network_sees_comes_back_as_it_was(path):
    network = network_for(header())
    activations = ranges_of(network)
    save_style(path, network.state_dict(), header(), activations)
    loaded, _, read, _ = load_style(path)
    assert read is not None and read.fits(loaded)
    assert activations.tensors().keys() == read.tensors().keys()
    for name, tensor in activations.tensors().items():
        assert torch.equal(tensor, read.tensors()[name]), name


@pytest.mark.parametrize("lacking", ["ranges", "means", "shifts"])
def test_a_style_of_what_another_network_sees_is_refused(path, lacking):
    network = network_for(header())
    activations = ranges_of(network)
    ranges, means = dict(activations.ranges), dict(activations.means)
    if lacking == "shifts":
        activations = activations._replace(shifts=activations.shifts[1:])
    elif lacking == "means":
        means["stem"] = means["stem"][1:]
    else:
        ranges["stem"] = Range(*(end[1:] for end in ranges["stem"]))
    save_style(
        path, network.state_dict(), header(), activations._replace(ranges=ranges, means=means)
    )
    with pytest.raises(PaintoverError, match=f"{path.name}.*does not fit"):
        load_style(path)


@pytest.mark.parametrize("length", [0, 4, 60, 3000, -1])
def test_a_style_that_is_cut_short_is_refused(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(PaintoverError, match=path.name):
        load_style(path)


def test_a_style_whose_weights_do_not_fit_is_refused(path):
    save_style(path, network_for(header()).state_dict(), header(network="fast"))
    with pytest.raises(PaintoverError, match=f"{path.name}.*train it again"):
        load_style(path)


def test_a_style_whose_channels_do_not_fit_is_refused(path):
    save_style(path, network_for(header()).state_dict(), header(channels=12))
    with pytest.raises(PaintoverError, match=f"{path.name}.*12 channels"):
        load_style(path)


def test_a_style_of_an_earlier_version_is_refused(path):
    save_style(path, network_for(header()).state_dict(), header(version=STYLE_VERSION - 1))
    with pytest.raises(PaintoverError, match=f"{path.name}.*earlier Paintover.*train it again"):
        load_style(path)


def test_a_style_of_an_unknown_network_is_refused(path):
    save_style(path, network_for(header()).state_dict(), header(network="later"))
    with pytest.raises(PaintoverError, match=f'{path.name}.*"later"'):
        load_style(path)


def test_a_missing_style_is_a_sentence(tmp_path):
    with pytest.raises(PaintoverError, match="train it first"):
        load_style(tmp_path / "none.safetensors")


def test_the_state_comes_back_as_it_was(tmp_path):
    tensors = {"a": torch.randn(3, 2), "chance": torch.Generator().get_state()}
    save_resume(tmp_path, tensors, {"steps": 5, "loss": None})
    read, numbers = load_resume(tmp_path)
    assert numbers["steps"] == 5 and numbers["loss"] is None
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)


def test_a_style_is_no_state(path):
    path.rename(path.parent / "resume.safetensors")
    with pytest.raises(PaintoverError, match="resume"):
        load_resume(path.parent)
