# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames, paintings, masks and guides of any program, from the import to training."""

from __future__ import annotations

import numpy as np
import picture_files as files
import pytest
import shots
from PIL import Image
from test_import_pictures import Report, run

from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframe, read_keyframes
from engine.images.given_pictures import read_given
from engine.images.pictures import read_picture, write_picture
from engine.shared.errors import PaintoverError
from engine.shared.shot import Shot

P3 = files.rgb_profile(files.DISPLAY_P3, files.gamma_tag(2.2), b"Display P3")
P3_CHUNK = files.profile_chunk(P3)
LYING = files.orientation_chunk(6)


def codes_of(path) -> np.ndarray:
    return np.rint(read_picture(path).pixels * 255).astype(int)


def test_frames_paintings_masks_and_guides_are_heeded(tmp_path):
    for frame in (1, 2):
        files.write_png(tmp_path / "in" / f"{frame}.png", files.colours(frame), P3_CHUNK + LYING)
        files.write_png(tmp_path / "lines" / f"{frame}.png", files.colours(9 + frame), LYING)
    painting = files.write_png(tmp_path / "keys" / "1.png", files.colours(7), P3_CHUNK + LYING)
    white = np.zeros((files.HEIGHT, files.WIDTH, 4), np.uint8)
    white[..., :3], white[:5, :, 3] = 255, 255
    mask = files.write_png(tmp_path / "masks" / "1.png", white, LYING)
    report = Report()
    run(
        tmp_path / "shot",
        tmp_path / "in",
        report,
        painted=painting.parent,
        mask=mask.parent,
        lines=tmp_path / "lines",
    )
    shot = Shot.open(tmp_path / "shot")
    assert (shot.manifest.width, shot.manifest.height) == (files.HEIGHT, files.WIDTH)
    told = sorted(report.warnings)
    assert ["color profile" in text for text in told] == [True, False]
    assert all(
        text.endswith("(2 more alike)." if n == 0 else "(4 more alike).")
        for n, text in enumerate(told)
    )
    wanted = np.rint(read_given(tmp_path / "in" / "2.png").picture.pixels * 255)
    assert np.array_equal(codes_of(shot.image_path(2)), wanted)
    assert b"iCCP" not in shot.image_path(2).read_bytes()
    turned = np.rot90(files.colours(10), -1)
    assert np.array_equal(codes_of(shot.guide_path("lines", 1)), turned)
    assert shot.key_path(1).read_bytes() == painting.read_bytes()
    assert shot.key_mask_path(1).read_bytes() == mask.read_bytes()
    (key,) = read_keyframes(shot, (), report)
    assert np.array_equal(key.paint, read_given(painting).picture.pixels)
    assert key.paint.shape == (files.WIDTH, files.HEIGHT, 3)
    assert np.array_equal(key.mask, np.rot90(white[..., 3] > 0, -1))
    assert [text.split(" ", 1)[1] for text in report.warnings[2:]] == [
        'has the color profile "Display P3"; its colors are converted to sRGB.',
        "is stored turned or mirrored, and is turned upright.",
    ]


def test_paintings_put_there_by_hand_are_read_by_content(rendered_shot):
    size = (rendered_shot.manifest.width, rendered_shot.manifest.height)
    path = rendered_shot.key_path(1)
    path.parent.mkdir()
    flat = Image.new("RGB", size, (200, 40, 90))
    for kind in ("JPEG", "WebP", "TIFF", "BMP"):
        flat.save(path, format=kind)
        assert np.allclose(read_keyframe(rendered_shot, 1).paint * 255, (200, 40, 90), atol=6)
    write_picture(path.with_suffix(".exr"), np.full((size[1], size[0], 3), 0.5, np.float32))
    path.with_suffix(".exr").replace(path)
    assert np.allclose(read_keyframe(rendered_shot, 1).paint, 0.5, atol=1e-3)
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(PaintoverError, match=r"0001\.png only stands for a picture that Git LFS"):
        read_keyframe(rendered_shot, 1)


def test_frames_that_blender_captured_for_another_display_keep_their_codes(rendered_shot):
    for frame in (1, 2):
        codes = codes_of(rendered_shot.image_path(frame)).astype(np.uint8)
        chunks = files.chunk(b"cICP", files.P3_BY_NUMBER) + P3_CHUNK
        files.write_png(rendered_shot.image_path(frame), codes, chunks)
    before = rendered_shot.image_path(1).read_bytes()
    painted = codes_of(rendered_shot.image_path(1)).astype(np.uint8)[..., [1, 2, 0, 3]]
    adobe = files.rgb_profile(files.ADOBE_RGB, files.gamma_tag(2.2), b"Adobe RGB")
    files.write_png(rendered_shot.key_path(1), codes, files.profile_chunk(adobe))
    with pytest.raises(PaintoverError, match="is in Adobe RGB, but its frame is in Display P3"):
        read_keyframe(rendered_shot, 1)
    for chunks in (P3_CHUNK, b""):
        files.write_png(rendered_shot.key_path(1), np.ascontiguousarray(painted), chunks)
        key = read_keyframe(rendered_shot, 1)
        assert np.array_equal(np.rint(key.paint * 255), painted[..., :3])
        assert key.notes == ()
    assert rendered_shot.image_path(1).read_bytes() == before


def test_a_frame_that_was_replaced_is_heeded_in_import_only(tmp_path):
    for frame in (1, 2):
        files.write_png(tmp_path / "in" / f"{frame}.png", files.colours(frame))
    run(tmp_path / "shot", tmp_path / "in", Report())
    shot = Shot.open(tmp_path / "shot")
    path = shot.image_path(1)
    files.write_png(path, files.colours(7))
    assert np.array_equal(np.rint(255 * read_frame(shot, 1).image), files.colours(7))
    for chunks, said in (
        (P3_CHUNK, "replaced and is in Display P3"),
        (LYING, "turned or mirrored"),
    ):
        files.write_png(path, files.colours(7), chunks)
        with pytest.raises(PaintoverError, match=rf"0001\.png was .*{said}.*import it again"):
            read_frame(shot, 1)
    shot.manifest.colour.display = "Display P3"
    assert read_frame(shot, 1).image.shape == files.colours(7).shape


def test_16_bit_paintings_of_other_profiles_at_a_real_size(tmp_path):
    y, x = np.mgrid[:270, :480] / (270, 480)[0]
    frames = tmp_path / "IMG"
    frames.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 8
    for frame in (1, 2):
        picture = np.stack([x / 2, y, 0.3 + 0.1 * np.sin(9 * (x + frame / 20))], -1).clip(0, 1)
        lying = Image.fromarray(np.rint(np.rot90(picture, -1) * 255).astype(np.uint8))
        lying.save(frames / f"IMG_{frame:04d}.JPG", "JPEG", exif=exif, icc_profile=P3, quality=95)
    wide = np.rint(np.stack([y, 1 - y, x / 2], -1).clip(0, 1) * 65535).astype(np.uint16)
    painting = files.write_png(tmp_path / "painted" / "IMG_0001.png", wide, P3_CHUNK)
    result = shots.run_warm(
        "import", tmp_path / "shot", "--input", frames, "--painted", painting.parent
    )
    assert result.returncode == 0, result.stderr
    assert 'has the color profile "Display P3"' in result.stdout + result.stderr
    shot = Shot.open(tmp_path / "shot")
    assert (shot.manifest.width, shot.manifest.height) == (480, 270)
    assert shot.key_path(1).read_bytes() == painting.read_bytes()
    key = read_keyframe(shot, 1)
    given = read_given(painting).picture
    assert given.bits == 16
    assert np.array_equal(key.paint, given.pixels)
    assert len(np.unique(key.paint[..., 0])) > 256
    shown = codes_of(shot.image_path(1))
    source = read_given(frames / "IMG_0001.JPG").picture
    assert np.array_equal(shown, np.rint(source.pixels * 255))
    assert shown[5, 5, 1] < 60
    assert shown[265, 5, 1] > 200
