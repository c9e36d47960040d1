# SPDX-License-Identifier: GPL-3.0-or-later
"""``--command paintover``: words in, exit code and sentences out."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import engine_runs, picture, write_png

needs_engine = pytest.mark.skipif(
    not engine_runs(), reason="the engine's Python lacks the engine's packages"
)


@pytest.fixture
def main(part: Callable[[str], Any]) -> Callable[..., int]:
    return lambda *words: part("command").main(list(words))


@needs_engine
def test_the_whole_way(
    scene: Any,
    main: Callable[..., int],
    part: Callable[[str], Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main("capture", "--frames", "1-2") == 0
    scene.frame_end = 2
    write_png(tmp_path / "painted.png", picture(1, seed=2))
    assert main("keyframe", "add", "1", "--file", str(tmp_path / "painted.png")) == 0
    assert main("train", "--seconds", "1") == 0
    assert main("stylize") == 0
    assert main("compose", "--save") == 0
    capsys.readouterr()
    assert main("status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {step["state"] for step in told["steps"].values()} == {"up to date"}
    assert told["keyframes"] == {"1": "Painted"}
    assert told["engine"].startswith(os.environ["PAINTOVER_ENGINE_PYTHON"])
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert part("compositor").node(bpy.context.scene) is not None
    assert main("run") == 0
    assert "up to date" in capsys.readouterr().out


def test_a_name_that_a_stream_cannot_show_ends_no_step(
    scene: Any,
    main: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="cp1252") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    scene.name = "東京"
    assert main("status", "--scene", "none") == 1
    assert b"\\u6771\\u4eac" in streams[1].buffer.getvalue()  # type: ignore[attr-defined]
    print(scene.name)


def test_keyframes(
    scene: Any,
    shot: Any,
    main: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    scene.frame_set(2)
    assert main("keyframe", "add") == 0
    assert main("keyframe", "list") == 0
    assert "2\tNot painted yet\t" in capsys.readouterr().out
    assert main("keyframe", "remove", "2") == 0
    assert main("keyframe", "remove", "2") == 1
    assert "paintover: Frame 2 is not a keyframe." in capsys.readouterr().err
    painting = shot.folder / "0003_v2.png"
    write_png(painting, picture(2, seed=2))
    assert main("keyframe", "add", "2", "--file", str(painting)) == 0
    assert "frame 2, although its name tells frame 3" in capsys.readouterr().out
    assert main("keyframe", "add", "3", "--file", str(painting)) == 0
    assert "although" not in capsys.readouterr().out
    assert main("keyframe", "add", "45") == 1


def test_frames_below_zero(
    scene: Any, main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("capture", "--frames", "-2--1,0") == 0
    write_png(tmp_path / "painted.png", picture(-2, seed=2))
    assert main("keyframe", "add", "-2", "--file", str(tmp_path / "painted.png")) == 0
    assert bpy.ops.paintover.keyframe_add(frame=-1) == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Frame -3 is not in the shot"):
        bpy.ops.paintover.keyframe_add(frame=-3)
    capsys.readouterr()
    assert main("keyframe", "list") == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("-2\tPainted\t")
    assert main("keyframe", "remove", "-1") == 0
    assert main("keyframe", "add", "-3") == 1
    assert main("stylize", "--frames", "-2--3") == 1
    assert "-2--3 ends before it starts" in capsys.readouterr().err


def test_pictures_that_are_not_used_are_named(
    shot: Any, main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    write_png(shot.folder / "keys" / "0002.PNG", picture(2, seed=2))
    told = "keys/0002.PNG is not used: rename it to 0002.png"
    assert main("status") == 0
    assert told in capsys.readouterr().out
    assert main("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["unused"] == told
    assert main("train") == 1
    assert f"no keyframe yet; {told}." in capsys.readouterr().err


def test_status_in_words(
    scene: Any, main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("status") == 0
    out = capsys.readouterr().out
    assert "capture   nothing      Not captured yet" in out


def test_status_tells_who_works_on_what(
    shot: Any,
    main: Callable[..., int],
    part: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("status", "--folder", str(shot.folder))
    with part("engine.shared.claims").Claims() as claims:
        assert claims.take(shot.training_claim_path("ink")) is None
        assert claims.take(shot.frame_claim_path("ink", 2)) is None
        assert main(*words) == 0
        told = capsys.readouterr().out
        assert main(*words, "--json") == 0
        data = json.loads(capsys.readouterr().out)
    assert f'"ink" is trained by process {os.getpid()} on ' in told
    assert f'frames 2 of "ink" are painted by process {os.getpid()} on ' in told
    assert data["styles"]["ink"]["training"]["process"] == os.getpid()
    assert main(*words) == 0
    assert "process" not in capsys.readouterr().out


@pytest.mark.parametrize("words", [(), ("nonsense",), ("keyframe",), ("train", "--seconds", "x")])
def test_wrong_usage_is_two(main: Callable[..., int], words: tuple[str, ...]) -> None:
    assert main(*words) == 2


def test_wrong_usage_is_told_in_one_line(
    main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("status", "--no\nopenjd_env: A=1"), ("engine", "check", "--no\nopenjd_env: A")):
        assert main(*words) == 2
        assert not [line for line in capsys.readouterr().err.splitlines() if line[:4] == "open"]


def test_help_is_zero(main: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main("--help") == 0
    assert "capture    render the frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train",), "holds no shot yet"),
        (("stylize",), "holds no shot yet"),
        (("compose",), "holds no shot yet"),
        (("capture", "--scene", "Other"), 'There is no scene "Other"; the .blend has Scene'),
        (("stylize", "--frames", "9-1"), "the range 9-1 ends before it starts"),
    ],
)
def test_failures_are_one_with_a_sentence(
    scene: Any,
    main: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
) -> None:
    assert main(*words) == 1
    error = capsys.readouterr().err
    assert error.startswith("paintover: ") and told in error
    assert error.count("\n") == 1


def test_other_folder_and_style(
    scene: Any, shot: Any, main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("status", "--folder", str(shot.folder), "--style", "ink", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["folder"], told["style"]) == (str(shot.folder), "ink")


def test_a_name_begins_no_line(
    scene: Any,
    main: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A farm takes lines of the output for its commands."""
    folder = tmp_path / "a\nopenjd_fail: b"
    for words in (("status",), ("keyframe", "list"), ("train",), ("stylize",), ("compose",)):
        main(*words, "--folder", str(folder), "--progress", "openjd")
        main(*words, "--folder", str(tmp_path), "--scene", "c\nopenjd_fail: d")
    told = "".join(capsys.readouterr())
    assert "a openjd_fail: b" in told and "c openjd_fail: d" in told
    assert "\nopenjd_fail: b" not in told and "\nopenjd_fail: d" not in told


def test_fields_of_a_line_have_tabs_between_them(
    part: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    part("command.printing").say("a\tb", "c\nd")
    assert capsys.readouterr().out == "a b\tc d\n"


def test_only_one_place_of_the_command_prints(part: Callable[[str], Any]) -> None:
    for path in Path(part("command").__file__).parent.glob("*.py"):
        prints = "print(" in path.read_text("utf-8")
        assert prints is (path.name == "printing.py"), path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_cancels_and_leaves_whole_frames(
    scene: Any,
    main: Callable[..., int],
    part: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    before = signal.getsignal(number)
    frames = part("capture").frames
    save = frames.save

    def saved_and_signalled(*arguments: Any) -> Any:
        result = save(*arguments)
        os.kill(os.getpid(), number)
        return result

    monkeypatch.setattr(frames, "save", saved_and_signalled)
    assert main("capture") == 130
    assert signal.getsignal(number) == before
    monkeypatch.undo()
    assert main("capture") == 0
    assert part("steps").open_shot(scene).frames == [1, 2, 3]


def test_registered_once(part: Callable[[str], Any]) -> None:
    assert part("command")._registered.handle is not None
