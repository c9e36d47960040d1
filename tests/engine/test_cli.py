# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, run as a user or a farm runs it."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shots

from engine.app import cli, error_messages
from engine.app.terminal import Terminal
from engine.images.pictures import write_picture
from engine.shared.durations import format_seconds
from engine.shared.manifest import PASS_MEANINGS
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header

ENGINE_FOLDER = Path(cli.__file__).parents[1]
VERBS = (
    *("import", "matte", "train", "weights", "stylize", "preview", "sweep", "suggest", "batch"),
    *("score", "info", "status", "worker"),
)


@pytest.fixture
def shot(tmp_path):
    return shots.make_shot(tmp_path / "shot")


def test_all_of_it_from_folders_to_frames(tmp_path):
    folder = shots.make_inputs(tmp_path / "Aufnahme ä é 影")
    shot = tmp_path / "Mein Schuß 影"
    result = shots.run_engine(
        "import", shot, "--input", folder / "input", "--painted", folder / "painted",
        "--mask", folder / "mask", "--guide", f"extra={folder / 'input'}", "--fps", "12.5",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    manifest = Shot.open(shot).manifest
    assert (manifest.fps, sorted(manifest.frames)) == (12.5, [1, 2, 3, 4])
    assert "extra" in manifest.guides

    result = shots.run_engine("train", shot, "--style", "oil", "--steps", 6, "--seed", 3)
    assert result.returncode == 0, result.stderr
    assert "oil.safetensors" in result.stdout
    header = read_style_header(shot / "styles" / "oil.safetensors")
    assert list(header.trained_on) == [1]
    assert header.steps == 6

    words = ("stylize", shot, "--style", "oil", "--frames", "1-2,4")
    result = shots.run_engine(*words)
    assert result.returncode == 0, result.stderr
    out = shot / "out" / "oil"
    assert sorted(path.name for path in out.glob("*.png")) == ["0001.png", "0002.png", "0004.png"]
    assert "3 frames painted, 0 up to date" in result.stdout
    again = shots.run_engine(*words)
    assert "0 frames painted, 3 up to date" in again.stdout
    forced = shots.run_engine(*words, "--force")
    assert "3 frames painted, 0 up to date" in forced.stdout
    exr = shots.run_engine(*words, "--format", "exr")
    assert exr.returncode == 0, exr.stderr
    assert (out / "0004.exr").is_file()

    info = json.loads(shots.run_engine("info", shot, "--json").stdout)
    assert info["frames"] == "1-4"
    assert info["styles"]["oil"]["training"]["state"] == "up to date"
    assert info["styles"]["oil"]["stylizing"]["state"] == "out of date"


def test_training_resumes_and_starts_from_another_style(shot):
    for words in (["--steps", 4], ["--steps", 3, "--resume"]):
        result = shots.run_warm("train", shot.folder, *words)
        assert result.returncode == 0, result.stderr
    assert read_style_header(shot.style_path("style")).steps == 7
    result = shots.run_warm(
        "train", shot.folder, "--style", "other", "--from", "style", "--steps", 2, "--keys", "1"
    )
    assert result.returncode == 0, result.stderr
    assert shot.style_path("other").is_file()


def test_frames_below_zero_in_every_verb(tmp_path):
    """A value that begins with a minus is no option."""
    made, source, shot = shots.make_inputs(tmp_path / "made"), tmp_path / "in", tmp_path / "shot"
    source.mkdir()
    for number, name in enumerate(("-0003.png", "-0002.png", "-0001.png", "0000.png"), 1):
        (made / "input" / f"{number:04d}.png").rename(source / name)
    (made / "painted" / "0001.png").rename(made / "painted" / "-0003.png")
    for words in (
        ("import", shot, "--input", source, "--painted", made / "painted"),
        ("train", shot, "--keys", "-3", "--steps", 2),
        ("weights", shot, "-3=0.5@-1"),
        ("stylize", shot, "--frames", "-3--2,0"),
        ("stylize", shot, "--frames", "-1"),
        ("preview", shot, "--keys", "-3", "--frames", "-1-0"),
        ("score", shot, "--truth", source, "--frames", "-2-0"),
    ):
        done = shots.run_warm(*words)
        assert done.returncode == 0, (words, done.stderr)
    assert Shot.open(shot).frames == [-3, -2, -1, 0]
    names = sorted(path.name for path in (shot / "out" / "style").glob("*.png"))
    assert names == ["-0001.png", "-0002.png", "-0003.png", "0000.png"]
    assert Shot.open(shot).manifest.weights == {-3: {-1: 0.5}}
    for verb, told in (("train", "such as -2"), ("stylize", "-5--1"), ("weights", "-2=0.5@-1")):
        assert told in " ".join(shots.run_warm(verb, "--help").stdout.split())


@pytest.mark.parametrize("verb", VERBS)
def test_help_explains_each_verb_without_loading_pytorch(verb):
    script = (
        "import sys; from engine.app.cli import main\n"
        "try: main([sys.argv[1], '--help'])\n"
        "finally: assert not {'torch', 'numpy', 'cv2'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, verb],
        cwd=shots.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert verb in result.stdout
    assert verb in shots.run_engine("--help").stdout


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["bake"],
        ["train"],
        ["import", "shot"],
        ["train", "shot", "--seconds", "5", "--steps", "5"],
        ["train", "shot", "--seconds", "-5"],
        ["train", "shot", "--seed", "-1"],
        ["train", "shot", "--steps", "2.5"],
        ["stylize", "shot", "--frames", "9-1"],
        ["stylize", "shot", "--frames", "all"],
        ["stylize", "shot", "--depth", "12"],
        ["import", "shot", "--input", "x", "--guide", "noname"],
        ["import", "", "--input", "x"],
        ["import", "shot", "--input", " "],
        ["score", "shot"],
    ],
)
def test_wrong_usage_is_2(words):
    result = shots.run_engine(*words)
    assert result.returncode == 2
    assert "usage:" in result.stderr


def test_info_tells_states_and_what_missing_passes_cost(shot):
    result = shots.run_engine("info", shot.folder)
    assert result.returncode == 0, result.stderr
    assert "1-4 (96×64 pixels, 24 frames per second)" in result.stdout
    assert "no surface: paint follows the motion instead" in result.stdout
    assert "nothing: Not trained yet" in result.stdout
    shot.image_path(3).unlink()
    data = json.loads(shots.run_engine("info", shot.folder, "--json").stdout)
    assert data["missing_files"] == [str(shot.image_path(3))]
    assert data["painted"] == [1]
    assert set(data["missing_passes"]) == set(PASS_MEANINGS) - {"image", "alpha"}


def test_info_of_a_style(shot):
    assert shots.run_engine("train", shot.folder, "--steps", 3).returncode == 0
    path = shot.style_path("style")
    result = shots.run_engine("info", path)
    assert result.returncode == 0, result.stderr
    assert "3 steps" in result.stdout
    assert json.loads(shots.run_engine("info", path, "--json").stdout)["steps"] == 3


def test_a_farm_reads_its_lines(shot):
    result = shots.run_engine("train", shot.folder, "--steps", 6, "--progress", "openjd")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    values = [float(line.split()[1]) for line in lines if line.startswith("openjd_progress: ")]
    assert values == sorted(values)
    assert values[-1] == 100
    assert any(line.startswith("openjd_status: train") for line in lines)
    assert all(line.startswith("openjd_") for line in lines)
    failed = shots.run_engine("stylize", shot.folder, "--style", "none", "--progress", "openjd")
    assert failed.returncode == 1
    assert failed.stdout.startswith("openjd_fail: ")
    assert failed.stdout.strip().endswith(failed.stderr.strip())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_with_130_and_training_goes_on_from_there(shot, number):
    process = shots.start_engine("train", shot.folder, "--seconds", 600, "--progress", "plain")
    while "Step" not in process.stdout.readline():
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert errors.startswith("Cancelled")
    assert "Traceback" not in errors
    again = shots.run_engine("train", shot.folder, "--steps", 2, "--resume")
    assert again.returncode == 0, again.stderr


def test_a_cancelled_import_says_that_nothing_has_changed(tmp_path):
    codes = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3)).astype(np.float32) / 255
    for frame in range(1, 13):
        write_picture(tmp_path / "in" / f"{frame:04d}.png", codes)
    words = ("import", tmp_path / "shot", "--input", tmp_path / "in", "--progress", "plain")
    process = shots.start_engine(*words)
    assert "Picture 1" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert errors == "Cancelled; nothing has changed.\n"
    assert not (tmp_path / "shot").exists()


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_that_is_rewritten():
    screen, err = _Screen(), io.StringIO()
    terminal = Terminal("auto", screen, err)
    terminal.progress("train", 0.0, -1, "Step 0")
    terminal.progress("train", 0.5, 30, "dropped, since it comes too soon")
    terminal.progress("train", 1.0, 0, "Step 9")
    terminal.warned("Careful.")
    terminal.finished("Trained.")
    text = screen.getvalue()
    assert text.count("\n") == 2
    assert text.count("\r") == 2
    assert "dropped" not in text
    assert "100%  Step 9, 0 s left\n" in text
    assert err.getvalue() == "Warning: Careful.\n"


def test_plain_lines_come_seldom():
    out = io.StringIO()
    terminal = Terminal("auto", out, out)
    for step in range(1001):
        terminal.progress("train", step / 1000, 65, f"Step {step}")
    lines = out.getvalue().splitlines()
    assert 10 <= len(lines) <= 12
    assert lines[0] == "train   0%  Step 0, 1 min 05 s left"
    assert lines[-1].startswith("train 100%")


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams by a shell")
def test_a_job_goes_on_when_nobody_reads_it(tmp_path):
    for number in range(1, 9):
        write_picture(tmp_path / "in" / f"{number:04d}.png", np.zeros((8, 12, 3), np.float32))
    words = [sys.executable, "-m", "engine", "import"]
    for number, ending in enumerate(("| true; exit ${PIPESTATUS[0]}", ">&-", "2>&-", ">&- 2>&-")):
        shot = tmp_path / str(number)
        script = f'"$@" {ending}'
        command = ["bash", "-c", script, "-", *words, shot, "--input", tmp_path / "in"]
        done = subprocess.run(
            [*map(str, command), "--progress", "plain"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert Shot.open(shot).frames == list(range(1, 9))


def test_a_name_that_a_stream_cannot_show_ends_no_job(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    folder = tmp_path / "東京"
    for number in (1, 3):
        write_picture(folder / "in" / f"{number:04d}.png", np.zeros((8, 12, 3), np.float32))
    done = shots.run_engine("import", folder / "shot", "--input", folder / "in")
    assert done.returncode == 0
    assert Shot.open(folder / "shot").frames == [1, 3]
    assert "\\u6771\\u4eac" in done.stdout
    assert "\\u6771\\u4eac" in done.stderr
    for words in (("info", folder / "shot"), ("import", "--help"), ("info", folder / "none")):
        done = shots.run_engine(*words)
        assert "Error" not in done.stdout + done.stderr
        assert done.returncode == (words[1] == folder / "none")
    words = ("stylize", folder / "shot", "--progress", "openjd")
    assert "openjd_fail: " in shots.run_engine(*words).stdout


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 min 00 s"), (3725, "1 h 02 min")]
)
def test_durations(seconds, text):
    assert format_seconds(seconds) == text


def test_faults_of_ours_are_a_sentence_and_a_log(shot, monkeypatch, capsys, tmp_path):
    import engine.app.verbs.import_pictures

    def broken(request, report):
        raise KeyError("a fault")

    monkeypatch.setattr(engine.app.verbs.import_pictures, "import_pictures", broken)
    monkeypatch.setattr(cli.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert cli.main(["import", str(shot.folder), "--input", "x"]) == 1
    sentence = capsys.readouterr().err.strip()
    log = next(tmp_path.glob("paintover-*.log"))
    assert "\n" not in sentence
    assert str(log) in sentence
    assert "KeyError: 'a fault'" in log.read_text()
    assert cli.main(["import", str(shot.folder), "--input", "x", "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_too_little_memory_and_a_full_disk_are_sentences():
    for error in (
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        OSError(12, "Cannot allocate memory"),
    ):
        assert "not enough memory" in error_messages.explain(error)
    assert "disk is full for /x/y" in error_messages.explain(OSError(28, "No space left", "/x/y"))
    assert "/x/y" in error_messages.explain(PermissionError(13, "Permission denied", "/x/y"))
    assert error_messages.explain(ValueError("ours")) is None


def test_the_folder_of_the_engine_runs_from_anywhere(tmp_path, shot):
    """Farms start it so; a module of the folder around it has to stay unseen."""
    (tmp_path / "json.py").write_text("raise RuntimeError")
    command = [sys.executable, ENGINE_FOLDER, "status", shot.folder, "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == "1-4"


def test_training_if_needed_trains_once_and_again_after_a_change(shot):
    words = ("train", shot.folder, "--steps", 3, "--if-needed")
    assert "Trained" in shots.run_warm(*words).stdout
    digest = shot.style_path("style").read_bytes()
    assert "is up to date" in shots.run_warm(*words).stdout
    assert shot.style_path("style").read_bytes() == digest
    shots.write_png(shot.key_path(1), 255 - shots.painting(1))
    assert "Trained" in shots.run_warm(*words).stdout
    assert shot.style_path("style").read_bytes() != digest
