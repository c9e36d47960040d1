# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of passes and what they mean."""

from __future__ import annotations

import pytest

from engine.shared import passes


@pytest.mark.parametrize(
    ("channel", "parts"),
    [
        ("ViewLayer.Vector.X", ("ViewLayer", "Vector", "X")),
        ("View Layer.001.Diffuse Color.R", ("View Layer.001", "Diffuse Color", "R")),
        ("Depth.Z", ("", "Depth", "Z")),
        ("L.CryptoObject00.r", ("L", "CryptoObject00", "R")),
        ("Ebene ä.Normal.Y", ("Ebene ä", "Normal", "Y")),
        ("R", None),
        ("L.Depth.depth", None),
    ],
)
def test_channels_are_split(channel, parts):
    assert passes.split_channel(channel) == parts


def test_blender_4_and_5_mean_the_same():
    new = ["Combined", "Depth", "Vector", "Normal", "Position", "Diffuse Color", "Object Index"]
    old = ["Combined", "Depth", "Vector", "Normal", "Position", "DiffCol", "IndexOB"]
    assert set(passes.meanings(new)) == set(passes.meanings(old))
    assert passes.meanings(old)["albedo"] == "DiffCol"
    assert passes.meanings(new)["object"] == "Object Index"


def test_the_best_of_several_passes_is_chosen():
    names = ["Object Index", passes.OBJECT_AOV, "Denoising Albedo", "Diffuse Color"]
    found = passes.meanings(names)
    assert found == {"object": passes.OBJECT_AOV, "albedo": "Diffuse Color"}


def test_unknown_passes_mean_nothing():
    assert passes.meanings(["Mist", "Emit"]) == {}
