# SPDX-License-Identifier: GPL-3.0-or-later
"""Guides: what a shot can feed, their ranges, and noise that stays on the surface."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic
from synthetic import HEIGHT, WIDTH

from engine.frames.frame import Frame, read_frame
from engine.guides import registry as guides
from engine.guides.surface_noise import SurfaceNoise
from engine.images.pictures import write_picture
from engine.shared.errors import PaintoverError


def own(shot) -> list[str]:
    return [name for name in guides.available(shot) if name != guides.PROJECTION]


def test_all_guides_of_a_rendered_shot(rendered_shot):
    wanted = ["colour", "alpha", "normal", "albedo", "object", "edges", "noise", "projection"]
    assert guides.available(rendered_shot) == wanted
    names = own(rendered_shot)
    built = guides.build(names, read_frame(rendered_shot, 1, guides.needs(names)))
    assert built.shape == (guides.channels(names), HEIGHT, WIDTH)
    assert guides.channels(wanted) == len(built) + 7
    assert built.dtype == np.float32
    assert np.isfinite(built).all()
    assert built.min() >= -1
    assert built.max() <= 1


def test_a_guide_needs_its_pass(rendered_shot):
    rendered_shot.manifest.passes = {"image": "", "normal": "Normal", "object": "paintover_object"}
    assert guides.available(rendered_shot) == [
        *("colour", "alpha", "normal", "object", "gaussians", "projection")
    ]


def test_alpha_is_a_guide_only_where_something_is_transparent(rendered_shot):
    for frame in rendered_shot.frames:
        opaque = synthetic.picture(frame)
        opaque[..., 3] = 1
        write_picture(rendered_shot.image_path(frame), opaque)
    assert "alpha" not in guides.available(rendered_shot)
    write_picture(rendered_shot.image_path(3), synthetic.picture(3))
    assert "alpha" in guides.available(rendered_shot)
    rendered_shot.image_path(2).unlink()
    assert "alpha" in guides.available(rendered_shot)
    guides.check(rendered_shot, ["colour", "alpha"])


def test_pass_guides_show_the_pass(rendered_shot):
    frame = read_frame(rendered_shot, 1)
    colour, alpha = guides.build(["colour"], frame), guides.build(["alpha"], frame)
    seen = frame.alpha > 0
    assert np.allclose(colour[:, seen], frame.image[seen].T * 2 - 1)
    assert not colour[:, ~seen].any()
    assert np.array_equal(alpha[0], frame.alpha * 2 - 1)
    assert np.array_equal(guides.build(["normal"], frame)[1], frame.normal[..., 1])
    assert np.array_equal(guides.build(["albedo"], frame)[0], frame.albedo[..., 0] * 2 - 1)


def test_objects_keep_their_colour(rendered_shot):
    colours = {}
    for number in rendered_shot.frames:
        frame = read_frame(rendered_shot, number, {"object"})
        built = guides.build(["object"], frame)
        assert not built[:, frame.object <= 0].any()
        for index in np.unique(frame.object[frame.object > 0]):
            (colour,) = np.unique(built[:, frame.object == index].T, axis=0)
            assert np.array_equal(colours.setdefault(int(index), colour), colour)
    first, second = colours.values()
    assert np.abs(first - second).max() > 0.1


def test_extra_guides_have_their_own_names(rendered_shot):
    rendered_shot.manifest.guides = ["ink lines"]
    for number in rendered_shot.frames:
        grey = np.full((HEIGHT, WIDTH, 3), number * 0.2, np.float32)
        write_picture(rendered_shot.guide_path("ink lines", number), grey, 16)
    name = "guide:ink lines"
    assert name in guides.available(rendered_shot)
    built = guides.build([name], read_frame(rendered_shot, 3, guides.needs([name])))
    assert built.shape == (3, HEIGHT, WIDTH)
    assert np.allclose(built, 0.2, atol=1e-4)


def test_what_cannot_be_fed_is_a_sentence(rendered_shot):
    rendered_shot.manifest.passes.pop("albedo")
    guides.check(rendered_shot, ["colour", "normal", "projection"])
    for names, words in (
        (["colour", "albedo"], 'cannot feed the guide "albedo"'),
        (["guide:lines"], 'cannot feed the guide "guide:lines"'),
        (["projection", "colour"], "must be named last"),
    ):
        with pytest.raises(PaintoverError, match=words):
            guides.check(rendered_shot, names)
    with pytest.raises(PaintoverError, match='no guide "velvet"'):
        guides.channels(["velvet"])
    with pytest.raises(PaintoverError, match='Frame 1 lacks what the guide "normal" needs'):
        guides.build(["normal"], read_frame(rendered_shot, 1, set()))


def test_projection_is_handed_over_and_comes_last(rendered_shot):
    frame = read_frame(rendered_shot, 1)
    names = ["colour", "projection"]
    built = guides.build(names, frame, np.full((7, HEIGHT, WIDTH), 0.5, np.float32))
    assert built.shape[0] == 10
    assert (built[3:] == 0.5).all()
    with pytest.raises(ValueError, match="must be passed to build"):
        guides.build(names, frame)


# Noise anchored to the surface


def plane(scale: float, left: float = 0.0, pixels_per_unit: float = 40.0, index: int = 5) -> Frame:
    """A frame full of one plane; ``scale`` is how large the object is in its own units."""
    y, x = np.mgrid[:96, :128].astype(np.float32)
    surface = np.stack([(x + left) / pixels_per_unit, y / pixels_per_unit, 0 * x + 0.3], -1) * scale
    picture = np.zeros((96, 128, 3), np.float32)
    objects = np.full((96, 128), index, np.int32)
    return Frame(1, picture, np.ones((96, 128), np.float32), object=objects, surface=surface)


def test_noise_moves_with_the_surface(rendered_shot):
    noise = SurfaceNoise()
    first, moved = noise.compute(plane(1)), noise.compute(plane(1, left=17))
    assert np.abs(first[:, 10:-10, 27:100] - moved[:, 10:-10, 10:83]).max() < 1e-3
    before, after = (read_frame(rendered_shot, number) for number in (1, 2))
    a, b = (noise.compute(frame) for frame in (before, after))
    left, top, right, bottom = (
        value + way for value, way in zip(synthetic.bounds(1), (8, 8, -8, -8), strict=True)
    )
    ours = a[:, top:bottom, left:right]
    theirs = b[:, top + 1 : bottom + 1, left + 3 : right + 3]
    assert np.abs(ours - theirs).max() < 1e-3
    assert ours.std() > 0.05


@pytest.mark.parametrize("scale", [1e-3, 0.05, 1.0, 37.0, 5000.0])
def test_noise_has_detail_on_objects_of_any_size(scale):
    built = SurfaceNoise().compute(plane(scale))
    assert np.abs(built).max() <= 1
    steps = np.abs(np.diff(built, axis=2)).mean(axis=(1, 2))
    assert (built.std(axis=(1, 2)) > 0.05).sum() >= 3
    assert steps.max() > 0.01
    assert steps.max() < 0.5


def test_zooming_changes_noise_smoothly():
    noise = SurfaceNoise()
    zooms = 40 * np.geomspace(1, 3.2, 60)
    values = np.stack([noise.compute(plane(1, pixels_per_unit=z))[:, 40:50, 0] for z in zooms])
    at_top = np.abs(np.diff(values, axis=0))
    assert at_top.max() < 0.5


def test_noise_differs_between_objects_and_is_zero_where_nothing_is_known():
    one, other = (SurfaceNoise().compute(plane(1, index=index)) for index in (5, 6))
    assert np.abs(one - other).mean() > 0.1
    frame = plane(1)
    frame.surface[:20] = np.nan
    frame.object[20:30] = -1
    frame.object[30:40] = 0
    built = SurfaceNoise().compute(frame)
    assert not built[:, :40].any()
    assert np.isfinite(built).all()
    assert built[:, 50:].any()


def test_noise_is_the_same_on_every_machine():
    built = SurfaceNoise().compute(plane(1))
    expected = [[-0.009, 0.434], [0.747, 0.2], [0.124, -0.328], [-0.195, 0.066]]
    assert built[:, 50, [20, 90]] == pytest.approx(np.array(expected), abs=2e-3)
