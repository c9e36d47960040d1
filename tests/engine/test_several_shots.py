# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines for several shots, lists of jobs, and saying what would be done."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
import shots

from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header


@pytest.fixture
def two(trained_folder, tmp_path) -> list[Path]:
    """Two trained shots."""
    names = ("010", "020 Ü")
    return [Path(shutil.copytree(trained_folder, tmp_path / name)) for name in names]


def test_a_verb_takes_several_shots_and_one_that_fails_stops_no_other(two, tmp_path):
    bad = tmp_path / "nothing"
    result = shots.run_warm("stylize", two[0], bad, two[1], "--frames", "2")
    assert result.returncode == 1
    assert f"{bad} holds no shot yet" in result.stderr
    for folder in two:
        assert Shot.open(folder).out_frames("style") == [2]
    assert "Shot 3 of 3" in result.stdout
    told = json.loads(shots.run_warm("info", *two, bad, "--json").stdout)
    assert [one["exit"] for one in told] == [0, 0, 1]
    assert told[1]["result"]["folder"] == str(two[1])
    assert told[2]["result"] is None
    assert "folder" in json.loads(shots.run_warm("info", two[0], "--json").stdout)


def test_weights_and_pictures_of_several_shots(two, tmp_path):
    result = shots.run_warm("weights", *two, "1=0.5@2")
    assert result.returncode == 0, result.stderr
    for folder in two:
        assert Shot.open(folder).manifest.weights[1] == {2: 0.5}
    for name in ("a", "b"):
        shots.make_inputs(tmp_path / "plates" / name, 2 if name == "a" else 3)
    made = [tmp_path / "made" / name for name in ("a", "b")]
    plates = tmp_path / "plates"
    result = shots.run_warm("import", *made, "--input", plates / "a" / "input")
    shots.assert_one_sentence(result, "same pictures", "{shot}")
    result = shots.run_warm("import", *made, "--input", plates / "{shot}" / "input")
    assert result.returncode == 0, result.stderr
    assert [len(Shot.open(folder).frames) for folder in made] == [2, 3]
    shots.assert_one_sentence(shots.run_warm("weights", "1=0.5"), "shot folder before")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "--steps", 3), ["would train", "frame 1", "up to date"]),
        (("stylize",), ["would paint 4 frames (1-4)", "0 up to date"]),
        (("stylize", "--frames", "2-3"), ["would paint 2 frames (2-3)"]),
        (("preview",), ["would project", "to 4 frames"]),
        (("sweep", "--minutes", 3), ["would search for 3 min"]),
        (("info",), ["would describe"]),
        (("status",), ["would tell"]),
        (("styles",), ["would list"]),
        (("suggest",), ["would tell which frame"]),
        (("weights", "1=0.5"), ["would set the weights of 1 keyframe 1"]),
        (("weights",), ["would show the weights"]),
        (("train", "--if-needed"), ["would not train", "up to date"]),
        (("matte", "--none"), ["would remove"]),
    ],
)
def test_a_dry_run_changes_nothing(trained, words, told):
    before = shots.snapshot(trained.folder)
    result = shots.run_warm(words[0], trained.folder, *words[1:], "--dry-run")
    assert result.returncode == 0, result.stderr
    for text in told:
        assert text in result.stdout
    assert shots.snapshot(trained.folder) == before


def test_a_dry_run_tells_what_would_fail(trained):
    folder = trained.folder
    for words, text in (
        (("stylize", folder, "--style", "none"), "train it first"),
        (("stylize", folder, "--frames", "9"), "has no frame 9"),
        (("train", folder, "--keys", "3"), "no painting of frame 3"),
        (("import", folder, "--input", folder / "nowhere"), "There is no"),
        (("import", folder, "--input", folder, "--painted", folder / "nowhere"), "There is no"),
        (("import", folder, "--input", folder, "--mask", folder / "nowhere"), "There is no"),
        (("import", folder, "--input", folder, "--guide", f"x={folder}/nowhere"), "There is no"),
        (("weights", folder, "2=0.5"), "Frame 2 is no keyframe"),
        (("styles", folder, "--take", "zzz"), "no kept training zzz"),
        (("styles", folder, "--take", "best"), "none is the best"),
        (("styles", folder, "--style", "zzz"), 'no style "zzz"'),
        (("matte", folder.parent / "none", "--input", folder), "holds no shot yet"),
        (("matte", folder.parent / "none", "--none"), "holds no shot yet"),
        (("train", folder, "--resume", "--style", "new"), "to resume from"),
        (("train", folder, "--from", "new"), "train it first"),
        (("preview", folder, "--frames", "9"), "has no frame 9"),
        (("score", folder, "--no-truth"), "no frames of the style"),
        (("score", folder, "--truth", folder / "nowhere"), "There is no"),
        (("info", folder / "none.safetensors"), "train it first"),
    ):
        shots.assert_one_sentence(shots.run_warm(*words, "--dry-run"), text)


def test_a_list_runs_with_logs_and_goes_on_after_a_failure(two, tmp_path):
    jobs = tmp_path / "night.txt"
    jobs.write_text(
        "# tonight\n"
        "stylize 010 --frames 1\n"
        "\n"
        "stylize '020 Ü' --style none\n"
        "stylize '020 Ü' --frames 1\n"
        "stylize 010 --frames 2\n",
        encoding="utf-8",
    )
    dry = shots.run_warm("batch", jobs, "--dry-run")
    assert dry.returncode == 1
    assert "1 job of 4 would fail, the first in line 4" in dry.stderr
    assert "night.txt.logs" not in dry.stderr
    assert "would paint 1 frame (2)" in dry.stdout
    assert not (tmp_path / "night.txt.logs").exists()

    result = shots.run_warm("batch", jobs)
    shots.assert_one_sentence(result, "1 job of 4 failed, and 1 skipped", "line 4")
    status = json.loads((tmp_path / "night.txt.logs" / "status.json").read_text())
    assert [job["state"] for job in status] == ["done", "failed", "skipped", "done"]
    assert status[0]["line"] == 2
    assert "1 frame painted" in status[0]["says"]
    assert "train it first" in status[1]["says"]
    log = Path(status[0]["log"]).read_text()
    assert "stylize 010 --frames 1" in log
    assert "1 frame painted" in log

    (two[1] / "styles" / "none.safetensors").write_bytes(
        (two[1] / "styles" / "style.safetensors").read_bytes()
    )
    again = shots.run_warm("batch", jobs, "--json")
    assert again.returncode == 0, again.stderr
    assert [job["says"].startswith("done before; --again") for job in json.loads(again.stdout)] == [
        *(True, False, False, True)
    ]
    assert Shot.open(two[1]).out_frames("style") == [1]


def test_a_stopped_list_stops_its_job_and_goes_on(trained):
    jobs = trained.folder.parent / "jobs.txt"
    jobs.write_text(f"train '{trained.folder}' --seconds 500 --style long --network small\n")
    process = shots.start_engine("batch", jobs)
    curve = trained.style_folder("long") / "curve.csv"
    shots.wait_until(curve.is_file, process)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert read_style_header(trained.style_path("long")).steps > 0
    status = json.loads((trained.folder.parent / "jobs.txt.logs" / "status.json").read_text())
    assert status[0]["state"] == "cancelled"


@pytest.mark.parametrize("text", ["", "# nothing\n", "worker\n", "--help\n", "train 'open\n"])
def test_a_wrong_list_is_told(tmp_path, text):
    jobs = tmp_path / "jobs.txt"
    jobs.write_text(text)
    shots.assert_one_sentence(shots.run_warm("batch", jobs), str(jobs))
    shots.assert_one_sentence(shots.run_warm("batch", tmp_path / "none.txt"), "none.txt")
