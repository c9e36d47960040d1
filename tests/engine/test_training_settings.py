# SPDX-License-Identifier: GPL-3.0-or-later
"""Each training setting has an option, a limit where it is a number, and a record in the style."""

from __future__ import annotations

import dataclasses
import signal

import pytest
import synthetic

from engine.app import cli
from engine.app.arguments import build_parser
from engine.app.verbs import train as train_verb
from engine.networks import registry as networks
from engine.shared.errors import PaintoverError
from engine.shared.style_header import read_style_header
from engine.shared.training_settings import (
    DESCRIPTIONS,
    NETWORK_DEFAULTS,
    TYPES,
    TrainingSettings,
    is_switch,
    override,
)
from engine.training.settings import default_settings

NAMES = [field.name for field in dataclasses.fields(TrainingSettings)]
NUMBERS = [name for name in NAMES if TYPES[name] in (int, float)]


@pytest.fixture(autouse=True)
def keeps_signals(monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.parametrize("name", NAMES)
def test_an_option_reaches_the_request(name, monkeypatch):
    requests = []

    def train(request, _report):
        requests.append(request)
        raise PaintoverError("Seen.")

    monkeypatch.setattr(train_verb, "train", train)
    option = f"--{name.replace('_', '-')}"
    value = {int: "20", float: "0.05", str: "a.pth"}.get(TYPES[name])
    words = [option] if is_switch(name) else [option, value]
    off = [[f"--no-{option[2:]}"]] if is_switch(name) else []
    for arguments in ([], words, *off):
        assert cli.main(["train", "shot", *arguments]) == 1
    read = True if is_switch(name) else TYPES[name](value)
    assert [request.settings for request in requests] == [
        {},
        {name: read},
        *([{name: False}] if off else []),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_help_tells_of_it(name, capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", "--help"])
    shown = "".join(capsys.readouterr().out.split())
    assert DESCRIPTIONS[name].help and "".join(DESCRIPTIONS[name].help.split()) in shown


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_limits_and_a_sentence(name):
    description = DESCRIPTIONS[name]
    low, high = description.limits
    for value in (low, high):
        assert getattr(override(TrainingSettings(), {name: TYPES[name](value)}), name) == value
    for value in (TYPES[name](low - 1), TYPES[name](high + 1)):
        with pytest.raises(PaintoverError, match=f"{description.subject} must be") as error:
            override(TrainingSettings(), {name: value})
        assert f"{low:g} to {high:g}" in str(error.value)
        assert f"not {value:g}." in str(error.value)


@pytest.mark.parametrize("network", sorted(networks.SIZES))
def test_defaults_keep_their_own_limits(network):
    settings = default_settings(network)
    assert override(settings, dataclasses.asdict(settings)) == settings
    assert set(NETWORK_DEFAULTS) <= set(networks.SIZES)


def test_a_style_records_each_setting(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot")
    synthetic.paint(shot, 1)
    words = ["train", str(shot.folder), "--network", "small", "--steps", "1", "--device", "cpu"]
    assert cli.main([*words, "--steady", "0"]) == 0
    recorded = read_style_header(shot.style_path("style")).settings
    expected = dataclasses.replace(default_settings("small"), steady=0.0)
    assert {name: recorded[name] for name in NAMES} == dataclasses.asdict(expected)


def test_switches_stand_for_their_two_values():
    switches = [name for name in NUMBERS if is_switch(name)]
    assert switches
    for name in switches:
        on, off = (override(TrainingSettings(), {name: value}) for value in (True, False))
        assert getattr(on, name) == DESCRIPTIONS[name].switched_on
        assert getattr(off, name) == 0
