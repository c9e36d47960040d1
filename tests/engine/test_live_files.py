# SPDX-License-Identifier: GPL-3.0-or-later
"""The files through which pixels go in a live session: canvases and pictures."""

from __future__ import annotations

import struct

import pytest

from engine.shared import live_protocol as live
from engine.shared.errors import PaintoverError
from engine.shared.live_files import Canvas, PictureSlots


def test_a_canvas_is_filled_as_blender_fills_a_buffer(tmp_path):
    canvas = Canvas.make(tmp_path / "canvas", 512, 288)
    reader = Canvas(tmp_path / "canvas", 512, 288)
    assert len(canvas.pixels) == 512 * 288 * 4
    assert canvas.pixels.format == "f"
    with canvas.writing(-3, 7):
        canvas.pixels[4:8] = memoryview(struct.pack("4f", 0.25, 0.5, 0.75, 1)).cast("f")
        assert reader.header().sequence % 2 == 1
    header = reader.header()
    assert (header.sequence, header.frame, header.width, header.height) == (2, -3, 512, 288)
    assert header.change == 7
    assert reader.pixels[4:8].tolist() == [0.25, 0.5, 0.75, 1]
    for one in (canvas, reader):
        one.close()


@pytest.mark.parametrize("floats", [True, False])
def test_a_slot_says_which_picture_it_holds(tmp_path, floats):
    place = live.LivePictures(str(tmp_path / "slots"), 31, 17, slots=3, floats=floats)
    slots = PictureSlots.make(place)
    reader = PictureSlots(place)
    assert reader.read(2, 5) is None
    with slots.writing(2, 5, live.NETWORK, 9) as sequence:
        pixels = slots.pixels(2)
        pixels[0] = pixels[len(pixels) - 1] = 1
        assert reader.read(2, 5) is None
    assert reader.read(2, 6) is None
    assert reader.read(1, 5) is None
    header, data = reader.read(2, 5)
    assert (header.sequence, header.frame, header.change) == (sequence, 5, 9)
    assert header.kind_name == live.NETWORK
    assert len(data) == 31 * 17 * 4 * (4 if floats else 1)
    assert data[:1] + data[-1:] != b"\0\0"
    pixels.release()
    slots.close()
    reader.close()


def test_a_full_disk_is_told_before_anything_is_written_through_memory(full_disk):
    """Else the first picture would end the process, which may be Blender's."""
    with pytest.raises(PaintoverError, match=r"view\.raw: No space left"):
        Canvas.make(full_disk / "view.raw", 480, 270)
    place = live.LivePictures(str(full_disk / "pictures.raw"), 480, 270, slots=4)
    with pytest.raises(PaintoverError, match=r"pictures\.raw: No space left"):
        PictureSlots.make(place)


def test_the_room_for_pictures_is_taken_at_once(tmp_path):
    canvas = Canvas.make(tmp_path / "canvas.raw", 480, 270)
    canvas.close()
    found = (tmp_path / "canvas.raw").stat()
    assert found.st_blocks * 512 >= found.st_size == Canvas.file_size(480, 270)


def test_a_file_that_is_too_small_is_refused(tmp_path):
    (tmp_path / "slots").write_bytes(b"\0" * 100)
    with pytest.raises(ValueError, match="size"):
        PictureSlots(live.LivePictures(str(tmp_path / "slots"), 31, 17))
    with pytest.raises(OSError, match="nothing"):
        Canvas(tmp_path / "nothing", 4, 4)
