# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews: paint carried without training, guessed where nothing is seen, and kept apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import shots
import synthetic

from engine.frames.frame import Frame, read_frame
from engine.frames.keyframe import Keyframe, read_keyframe
from engine.images.pictures import read_picture, write_picture
from engine.jobs import output_frames
from engine.jobs.colour_transfer import ColourTransfer
from engine.jobs.preview import NEEDS, preview
from engine.shared import protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

HEIGHT, WIDTH = synthetic.HEIGHT, synthetic.WIDTH


def run(shot: Shot, **fields) -> dict:
    return preview(protocol.Preview(job=0, shot=str(shot.folder), **fields), Silent())


def painted(shot: Shot, frame: int, style: str = "preview") -> np.ndarray:
    return read_picture(shot.out_path(style, frame)).pixels


def test_every_frame_is_painted_without_a_hole(painted_shot):
    assert run(painted_shot)["frames"] == 3
    for frame in painted_shot.frames:
        result, shown = painted(painted_shot, frame), synthetic.picture(frame)
        assert np.abs(result[..., 3] - shown[..., 3]).max() < 1 / 254
        a, b = synthetic.shares(frame)
        whole = (a == 1) | (b == 1)
        wrong = np.abs(result[..., :3] - shown[..., [1, 2, 0]]).mean(-1)[whole]
        assert wrong.mean() < 0.01
        assert wrong.max() < 0.15


def test_the_keyframe_itself_is_the_painting(painted_shot):
    run(painted_shot, frames=[2], depth=16)
    truth = read_keyframe(painted_shot, 2).paint
    inner = cv2.erode((synthetic.shares(2)[0] == 1).astype(np.uint8), np.ones((7, 7))) > 0
    assert np.abs(painted(painted_shot, 2)[..., :3] - truth)[inner].max() < 1e-3


def test_footage_without_any_pass(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", keys=(2,))
    run(shot)
    for frame in shot.frames:
        truth = shots.painting(frame)
        inner = cv2.erode(truth[..., 3].astype(np.uint8), np.ones((5, 5))) > 0
        wrong = np.abs(painted(shot, frame)[..., :3] - truth[..., :3])[inner]
        assert wrong.mean() < 0.06
        assert np.array_equal(painted(shot, frame)[..., 3], truth[..., 3])


def test_what_is_up_to_date_is_skipped(painted_shot):
    run(painted_shot)
    assert run(painted_shot) == {"frames": 0, "skipped": 3, "seconds": pytest.approx(0, abs=60)}
    assert run(painted_shot, force=True, frames=[1])["frames"] == 1
    painted_shot.out_path("preview", 3).write_bytes(b"cut short")
    assert run(painted_shot)["frames"] == 1
    synthetic.paint(painted_shot, 1)
    assert run(painted_shot)["frames"] == 3
    assert run(painted_shot, keys=[2])["frames"] == 3


def test_weights_of_keyframes_count(painted_shot):
    other = synthetic.picture(1)
    other[..., :3] = 0.25
    write_picture(painted_shot.folder / "keys" / "0001.png", other)
    painted_shot.manifest.weights = {2: {2: 0.0}}
    painted_shot.save()
    run(painted_shot, frames=[2])
    a, _ = synthetic.shares(2)
    assert np.abs(painted(painted_shot, 2)[a == 1][:, :3] - 0.25).mean() < 0.05


def test_a_style_is_never_painted_over(painted_shot):
    painted_shot.style_path("ink").parent.mkdir()
    painted_shot.style_path("ink").write_bytes(b"style")
    with pytest.raises(PaintoverError, match='"ink" is a trained style'):
        run(painted_shot, style="ink")
    path = painted_shot.out_path("old", 2)
    write_picture(path, synthetic.picture(2))
    before = path.read_bytes()
    with pytest.raises(PaintoverError, match=r"other pictures than previews \(frames 2\)"):
        run(painted_shot, style="old")
    assert path.read_bytes() == before
    assert not painted_shot.out_path("old", 1).exists()
    assert run(painted_shot, style="old", frames=[1, 3])["frames"] == 2


def test_previews_of_an_earlier_version_are_painted_again(painted_shot):
    run(painted_shot, frames=[2])
    record = painted_shot.read_out_record("preview", 2)
    earlier = dataclasses.replace(record, style="preview 0")
    painted_shot.write_out_record("preview", 2, earlier)
    assert run(painted_shot, frames=[2])["frames"] == 1
    assert painted_shot.read_out_record("preview", 2) == record


def test_alpha_that_was_painted_is_carried(painted_shot):
    pixels = synthetic.picture(2)
    left, top, _, _ = synthetic.bounds(2)
    pixels[top + 6 : top + 20, left + 6 : left + 20, 3] = 0.4
    write_picture(painted_shot.folder / "keys" / "0002.png", pixels, 16)
    run(painted_shot, frames=[3], unpainted="nothing")
    left, top, _, _ = synthetic.bounds(3)
    alpha = painted(painted_shot, 3)[..., 3]
    assert np.abs(alpha[top + 9 : top + 17, left + 9 : left + 17] - 0.4).max() < 0.02
    assert np.abs(alpha[top + 22 : top + 28, left + 3 : left + 25] - 1).max() < 0.02


def test_nothing_painted_or_wanted_that_is_not_there_is_a_sentence(rendered_shot):
    with pytest.raises(PaintoverError, match="has no keyframe yet"):
        run(rendered_shot)
    synthetic.paint(rendered_shot, 2)
    with pytest.raises(PaintoverError, match="has no frame 9"):
        run(rendered_shot, frames=[9])
    with pytest.raises(PaintoverError, match="PNG with 8 or 16 bits"):
        run(rendered_shot, depth=12)


def test_cancelled_it_goes_on_later(painted_shot):
    class Impatient(Silent):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        preview(protocol.Preview(job=0, shot=str(painted_shot.folder)), Impatient())
    assert run(painted_shot) == {"frames": 2, "skipped": 1, "seconds": pytest.approx(0, abs=60)}


def test_killed_between_a_picture_and_its_record_it_goes_on_later(painted_shot, monkeypatch):
    with shots.killed_before_a_record(monkeypatch):
        run(painted_shot, frames=[2])
    assert painted_shot.out_path("preview", 2).is_file()
    assert run(painted_shot, frames=[2])["frames"] == 1
    assert run(painted_shot, frames=[2])["skipped"] == 1
    real = Path.replace

    def killed(path, target):
        if str(target).endswith(".exr"):
            raise KeyboardInterrupt
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run(painted_shot, frames=[2], format="exr")
    assert run(painted_shot, frames=[2])["frames"] == 1
    assert not painted_shot.out_path("preview", 2).with_name("versions").exists()


def test_on_the_command_line(painted_shot):
    result = shots.run_warm("preview", painted_shot.folder, "--keys", 2, "--frames", 1)
    assert result.returncode == 0, result.stderr
    assert "preview: 1 frame painted, 0 up to date.\n" in result.stdout
    assert painted_shot.out_path("preview", 1).is_file()
    assert not painted_shot.out_path("preview", 3).exists()


def test_paint_is_guessed_from_what_looks_alike():
    """Two objects of the same colours, painted otherwise."""
    ramp = np.tile(np.linspace(0, 1, 40, dtype=np.float32)[None, :, None], (20, 1, 3))
    objects = np.repeat([[3], [9]], 10, axis=0).repeat(40, axis=1).astype(np.int32)
    frame = Frame(1, ramp, np.ones((20, 40), np.float32), object=objects)
    paint = np.where(objects[..., None] == 3, ramp * [1, 0, 0], ramp * [0, 0, 1])
    mask = np.ones((20, 40), bool)
    mask[:, 35:] = False
    key = Keyframe(1, np.where(mask[..., None], paint, 0.5).astype(np.float32), frame.alpha, mask)
    guessed = ColourTransfer([(key, frame)]).guess(frame, np.ones((20, 40), bool))
    wrong = np.abs(guessed.reshape(20, 40, 3) - paint)
    assert wrong[:, :34].max() < 0.06
    assert wrong[:, 36:].max() < 0.2


def test_guessing_in_detailed_pictures_stays_coarse_enough():
    chance = np.random.default_rng(3)
    image = chance.random((120, 160, 3)).astype(np.float32)
    frame = Frame(1, image, np.ones((120, 160), np.float32))
    key = Keyframe(1, 1 - image, frame.alpha, np.ones((120, 160), bool))
    guessed = ColourTransfer([(key, frame)]).guess(frame, image[..., 0] > 0.5)
    assert np.abs(guessed - (1 - image)[image[..., 0] > 0.5]).mean() < 0.12


def test_previews_need_only_what_the_shot_has(painted_shot):
    frame = read_frame(painted_shot, 1, NEEDS)
    assert frame.motion is None
    assert frame.normal is not None


def test_of_two_jobs_at_once_each_knows_what_the_other_has_written(painted_shot, monkeypatch):
    run(painted_shot, frames=[2])
    write = output_frames.write_picture

    def meanwhile(path, *words):
        monkeypatch.setattr(output_frames, "write_picture", write)
        run(painted_shot, frames=[2], force=True, unpainted="nothing", depth=16)
        return write(path, *words)

    monkeypatch.setattr(output_frames, "write_picture", meanwhile)
    run(painted_shot, frames=[2], force=True)
    assert not painted_shot.out_path("preview", 2).with_name("versions").exists()
