# SPDX-License-Identifier: GPL-3.0-or-later
"""Live sessions through a real worker: strokes are carried, then learnt; nothing else moves."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from live_sessions import JOB, Session, carried_alone, painting, rests, session
from painted_scenes import Scene
from real_sizes import Project, write
from shots import assert_one_sentence, run_engine, start_engine, wait_until

from benchmarks.live.client import read_rgba
from engine.live.costs import too_large
from engine.networks.device import choose_device
from engine.shared import live_protocol as live
from engine.shared import protocol
from engine.shared.manifest import Manifest
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header
from engine.training.resume import load_run

SIZE = (512, 288)
KEY, OTHER = 1, 4


@pytest.fixture(scope="module")
def captured(tmp_path_factory) -> Path:
    """A captured shot of 512×288 with one painting and a style; not to be changed."""
    project = Project(tmp_path_factory.mktemp("live"), Scene(*SIZE, opaque=False), 8)
    project.capture(surface=True)
    project.train("--steps", 12, "--strokes", 0, "--steady", 0)
    return project.shot


@pytest.fixture(scope="module")
def learning(captured, tmp_path_factory):
    """A session that goes on from the style."""
    with session(captured, SIZE, tmp_path_factory.mktemp("files")) as one:
        one.start(OTHER, slots=4, view=(256, 144))
        one.shown(live.NETWORK, frame=OTHER)
        yield one


def stroke(one: Session, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the painting with a stroke on the box, and where it is (H, W)."""
    pixels = painting(one.shot, KEY)
    inside = np.zeros(pixels.shape[:2], bool)
    inside[200:224, 100 + 20 * seed : 140 + 20 * seed] = True
    inside &= pixels[..., 3] > 0
    assert inside.sum() > 400
    pixels[inside, :3] = np.random.default_rng(seed).random(3)
    return pixels, inside


def test_a_stroke_is_carried_then_painted_by_the_network_and_nothing_else_moves(learning):
    pixels, inside = stroke(learning, 1)
    before, carried, change = carried_alone(learning, KEY, pixels, OTHER)
    moved = np.abs(carried - before).max(axis=2) > 1e-6
    colour = pixels[inside][0, :3]
    near = np.abs(carried[..., :3] - colour).max(axis=2) < 0.05
    assert near.sum() > 0.7 * inside.sum()
    assert 0.7 < moved.sum() / inside.sum() < 1.6
    network = learning.picture(learning.shown(live.NETWORK, change=change, frame=OTHER))
    near = np.abs(network[..., :3] - colour).max(axis=2) < 0.15
    assert near.sum() > 0.7 * inside.sum()
    rows, columns = np.nonzero(moved)
    around = np.zeros_like(moved)
    around[rows.min() - 14 : rows.max() + 15, columns.min() - 14 : columns.max() + 15] = True
    assert np.array_equal(network[~around], before[~around])


def test_the_keyframe_itself_shows_the_painting_at_once(learning):
    learning.show(KEY)
    pixels, inside = stroke(learning, 3)
    change = learning.paint(KEY, pixels)
    shown = learning.picture(learning.shown(change=change, frame=KEY))
    assert np.allclose(shown[inside, :3], pixels[inside, :3], atol=1e-5)
    learning.show(OTHER)


def test_of_many_requests_the_latest_wins(learning):
    numbers = [learning.number() for _ in range(30)]
    for number in numbers:
        learning.send(live.LiveShow(JOB, number, 2 + number % 6))
    learning.shown(number=numbers[-1])
    answers = {event.number for event in learning.seen if isinstance(event, live.LiveShown)}
    assert len(answers & set(numbers)) < len(numbers)
    learning.show(OTHER)


def test_frames_of_the_range_are_kept_ready_and_a_stroke_makes_some_of_them_stale(learning):
    learning.send(live.LiveRange(JOB, [3, 4, 5, 6]))
    cache = live.LiveCache(JOB, [3, 4, 5, 6], [])
    learning.until(lambda event: event == cache)
    for frame in (3, 4, 5, 6):
        slots = [number for number in range(4) if learning.slots.header(number).frame == frame]
        assert len(slots) == 1
        assert learning.slots.read(slots[0], frame) is not None
    learning.paint(KEY, stroke(learning, 5)[0])
    learning.until(lambda e: isinstance(e, live.LiveCache) and bool(e.stale))
    learning.until(lambda event: event == cache)
    learning.send(live.LiveRange(JOB, []))
    learning.paint(KEY, stroke(learning, 6)[0])
    learning.until(lambda e: isinstance(e, live.LiveCache) and bool(e.stale))


def test_frames_beside_the_shown_one_are_made_ready_while_nobody_paints(learning):
    learning.show(OTHER)
    learning.paint(KEY, stroke(learning, 8)[0])
    near = {OTHER - 1, OTHER + 1}

    def are_ready(event):
        return isinstance(event, live.LiveCache) and near <= {*event.fresh}

    learning.until(are_ready)
    headers = [learning.slots.header(number) for number in range(4)]
    ready = next(header for header in headers if header.frame == OTHER + 1)
    assert learning.show(OTHER + 1).sequence == ready.sequence
    learning.show(OTHER)


def test_strokes_without_a_pause_reach_the_network(learning):
    """Each comes as soon as the one before is carried."""
    learning.show(OTHER)
    shown = []
    for number in range(60):
        learning.paint(KEY, stroke(learning, number % 12)[0])
        state = learning.until(lambda e: isinstance(e, live.LiveShown) and e.change > 0)
        shown.append(state.shows)
        if live.NETWORK in shown[1:]:
            break
    assert live.NETWORK in shown[1:]


def test_strokes_of_a_canvas_can_be_discarded(learning):
    pixels, inside = stroke(learning, 7)
    change = learning.paint(KEY, pixels)
    learning.shown(change=change, frame=OTHER)
    learning.send(live.LiveRevert(JOB, (back := learning.number()), KEY))
    learning.shown(change=back, frame=OTHER)
    shown = learning.picture(learning.show(KEY))
    assert np.abs(shown[inside, :3] - pixels[inside, :3]).max() > 0.05
    saved = painting(learning.shot, KEY)
    assert np.abs(shown[inside, :3] - saved[inside, :3]).max() < 0.01
    learning.show(OTHER)


def test_pause_stops_the_processor_and_going_on_learns(learning):
    learning.send(live.LiveSettings(JOB, paused=True))
    learning.state(live.PAUSED)
    assert rests(learning)
    learning.send(live.LiveSettings(JOB))
    learning.state(live.LEARNING)


def test_other_jobs_are_refused_and_wrong_requests_are_survived(learning):
    learning.send(live.LiveShow(JOB, learning.number(), 99))
    warned = learning.until(lambda event: isinstance(event, protocol.Warned))
    assert "Frame 99 is not in the shot" in warned.sentence
    learning.send(live.LivePaint(JOB, learning.number(), KEY, "/nowhere/canvas"))
    warned = learning.until(lambda event: isinstance(event, protocol.Warned))
    assert "canvas" in warned.sentence
    assert learning.show(OTHER).frame == OTHER
    learning.send(protocol.Stylize(JOB + 1, str(learning.shot)))
    refused = learning.until(lambda event: isinstance(event, protocol.Failed))
    assert refused.job == JOB + 1
    assert "busy" in refused.sentence


def test_the_viewport_is_painted_from_colour_alone_and_says_so(learning):
    pixels = painting(learning.shot, KEY)[::2, ::2]
    seen = learning.view(pixels)
    while not seen.sequence:
        assert "some seconds more" in seen.sentence
        learning.state(live.LEARNING, live.WAITING)
        seen = learning.view(pixels)
    assert "colors alone" in seen.sentence
    assert not learning.view(pixels).sentence
    shown = np.array(learning.view_slot.pixels(0)).reshape(144, 256, 4)[::-1]
    assert np.allclose(shown[..., 3], pixels[..., 3], atol=0.01)
    assert shown[shown[..., 3] > 0.5, :3].std() > 0.02


def test_what_was_learnt_becomes_a_style_that_stylize_uses(learning, captured, tmp_path):
    pixels, _ = stroke(learning, 9)
    learning.paint(KEY, pixels)
    refused = learning.finish("ink")
    assert not refused.path
    assert "frame 1 is not saved" in refused.sentence
    learning.send(live.LiveRevert(JOB, learning.number(), KEY))
    finished = learning.finish("ink")
    assert not finished.sentence
    assert Path(finished.path) == Shot.open(captured).style_path("ink")
    copy = tmp_path / "copy"
    shutil.copytree(captured, copy)
    result = run_engine("stylize", copy, "--style", "ink", "--frames", OTHER)
    assert result.returncode == 0, result.stderr
    assert "Warning" not in result.stderr
    stylized = read_rgba(copy / "out" / "ink" / f"{OTHER:04d}.png")
    shown = learning.picture(learning.show(OTHER))
    shape = stylized[..., 3] > 0.9
    assert np.abs(stylized - shown)[shape, :3].mean() < 0.08
    Path(finished.path).unlink()


def test_off_is_off_and_the_next_session_goes_on(captured, tmp_path):
    """Needs what ``learning`` has learnt on disk, so it makes its own session."""
    with session(captured, SIZE, tmp_path) as one:
        one.start(OTHER, style="off", keep=True)
        state = one.until(lambda event: isinstance(event, live.LiveState) and event.steps >= 3)
        one.cancel()
        assert rests(one)
        assert (captured / "styles" / "off" / "live" / "resume.safetensors").is_file()
        one.start(OTHER, style="off", keep=True)
        again = one.until(lambda event: isinstance(event, live.LiveState) and event.steps > 0)
        assert again.steps >= state.steps
        one.cancel()


def test_what_is_saved_in_a_pause_is_in_the_style(captured, tmp_path):
    """Finishing takes in what is on disk, and never names paint that was not learnt from."""
    folder = tmp_path / "shot"
    shutil.copytree(captured, folder)
    with session(folder, SIZE, tmp_path / "files") as one:
        one.start(OTHER)
        one.shown(live.NETWORK, frame=OTHER)
        pixels, _ = stroke(one, 4)
        one.shown(change=one.paint(KEY, pixels), frame=OTHER)
        one.send(live.LiveSettings(JOB, paused=True))
        one.state(live.PAUSED)
        write(folder / "keys" / "0001.png", pixels)
        finished = one.finish("ink")
        assert not finished.sentence
        shot = Shot.open(folder)
        assert read_style_header(Path(finished.path)).trained_on == {KEY: shot.key_digest(KEY)}


def test_strokes_that_were_not_saved_do_not_count_as_learnt(captured, tmp_path):
    folder = tmp_path / "shot"
    shutil.copytree(captured, folder)
    with session(folder, SIZE, tmp_path / "files") as one:
        one.start(OTHER)
        one.shown(live.NETWORK, frame=OTHER)
        change = one.paint(KEY, stroke(one, 8)[0])
        one.shown(live.NETWORK, change=change, frame=OTHER)
        one.cancel()
        assert load_run(folder / "styles/style/live").trained_on == {KEY: ""}


def test_a_shot_without_a_painting_says_so_and_shows_the_frame(captured, tmp_path):
    folder = tmp_path / "shot"
    shutil.copytree(captured, folder)
    (folder / "keys" / "0001.png").unlink()
    with session(folder, SIZE, tmp_path / "files") as one:
        one.start(OTHER)
        bare = one.picture(one.shown(frame=OTHER))
        assert np.allclose(bare, read_rgba(folder / "frames" / f"{OTHER:04d}.png"), atol=1e-6)
        assert "Nothing is painted yet" in one.state(live.PAUSED).sentence


def changed_picture(one: Session) -> np.ndarray:
    """Tell of a change of files and return the next picture that shows it."""
    change = one.number()
    one.send(live.LiveReload(JOB, change))
    return one.picture(one.shown(change=change, frame=OTHER))


def test_files_in_keys_are_watched(captured, tmp_path):
    folder = tmp_path / "shot"
    shutil.copytree(captured, folder)
    shutil.rmtree(folder / "styles", ignore_errors=True)
    scene = Scene(*SIZE, opaque=False)
    with session(folder, SIZE, tmp_path / "files") as one:
        one.start(OTHER, keep=False)
        one.shown(frame=OTHER)

        saved, inside = stroke(one, 2)
        write(folder / "keys" / "0001.png", saved)
        colour, shown = saved[inside][0, :3], np.zeros(4)
        while (np.abs(shown[..., :3] - colour).max(axis=-1) < 0.1).sum() < 0.6 * inside.sum():
            shown = one.picture(one.shown(frame=OTHER))

        other = scene.painting(7)
        other[..., :3] = 1 - other[..., :3]
        write(folder / "keys" / "0007.png", other)
        second = changed_picture(one)
        assert (np.abs(second - shown).max(axis=2) > 0.1).sum() > 1000

        assert run_engine("weights", folder, "7=0").returncode == 0
        weighed = changed_picture(one)
        inside = shown[..., 3] > 0.5
        apart = np.abs(second - shown)[inside].mean()
        assert np.abs(weighed - shown)[inside].mean() < 0.95 * apart

        mask = np.zeros(SIZE[::-1], np.float32)
        mask[:, :200] = 1
        write(folder / "keys" / "0001.mask.png", mask)
        assert np.abs(changed_picture(one) - weighed).max() > 0.1

        for name in ("0001.png", "0001.mask.png", "0007.png"):
            (folder / "keys" / name).unlink()
        one.send(live.LiveReload(JOB, one.number()))
        state = one.state(live.PAUSED)
        assert "Nothing is painted yet" in state.sentence
        bare = one.picture(one.show(OTHER))
        assert np.allclose(bare, read_rgba(folder / "frames" / f"{OTHER:04d}.png"), atol=1e-6)

        write(folder / "keys" / "7.png", other)
        warned = one.until(lambda event: isinstance(event, protocol.Warned))
        assert "keys/7.png is not used: rename it to 0007.png" in warned.sentence

        canvas_alone = one.paint(7, other)
        one.shown(change=canvas_alone, frame=OTHER)


def test_footage_is_learnt_along_the_motion(tmp_path):
    size = (480, 270)
    project = Project(tmp_path, Scene(*size), 4)
    project.make()
    with session(project.shot, size, tmp_path / "files") as one:
        one.start(3, keep=False)
        before = one.picture(one.shown(frame=3))
        assert not _magenta(before).any()
        pixels = painting(project.shot, KEY)
        pixels[100:130, 200:240, :3] = (1, 0, 1)
        change = one.paint(KEY, pixels)
        shown = one.picture(one.shown(change=change, frame=3))
        assert 700 < _magenta(shown).sum() < 1500
        assert one.show(2).frame == 2


def _magenta(shown: np.ndarray) -> np.ndarray:
    return np.abs(shown[..., :3] - (1, 0, 1)).max(axis=2) < 0.1


def test_a_canvas_too_large_for_the_machine_says_so():
    device = choose_device("cpu")
    assert not too_large(2560, 1440, device)
    sentence = too_large(2880, 1620, device)
    assert "2880×1620, too large to learn while you paint" in sentence
    assert sentence.endswith("smaller size.")


@pytest.mark.parametrize("words", [(), ("--frame", 1)])
def test_a_shot_without_frames_says_so(tmp_path, words):
    Shot(tmp_path, Manifest(*SIZE, 1, 1)).save()
    assert_one_sentence(run_engine("live", tmp_path, *words), "has no frames yet; capture or")


def test_without_blender_a_save_is_seen_and_the_style_is_written(captured, tmp_path):
    folder = tmp_path / "shot"
    shutil.copytree(captured, folder)
    shutil.rmtree(folder / "styles", ignore_errors=True)
    process = start_engine("live", folder, "--frame", OTHER)
    try:
        picture = folder / "live" / f"{OTHER:04d}.png"
        wait_until(picture.is_file, process)
        before = read_rgba(picture)
        pixels = painting(folder, KEY)
        pixels[120:150, 120:180, :3] = (1, 0, 1)
        write(folder / "keys" / "0001.png", pixels)

        def is_there() -> bool:
            return bool((np.abs(read_rgba(picture) - before).max(axis=2) > 0.2).sum() > 800)

        wait_until(is_there, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Frame 4 shows your paint, carried to it." in out
    assert "Live has ended; running it again goes on" in err
    assert "Traceback" not in err
    assert_one_sentence(run_engine("live", folder, "--frame", 99), "has no frame 99")
