# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's process from the add-on's side: whatever it does, one clear sentence, no hang."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import engine_runs, picture, write_png

from engine import __version__
from engine.shared.protocol import PROTOCOL_VERSION

needs_engine = pytest.mark.skipif(
    not engine_runs(), reason="the engine's Python lacks the engine's packages"
)


def _ready(version: str) -> str:
    data = {"version": PROTOCOL_VERSION, "kind": "Ready", "job": 0}
    return json.dumps({**data, "device": "none", "engine_version": version})


READY = _ready(__version__)
PROGRESS = json.dumps(
    {
        "version": 2,
        "kind": "Progress",
        "job": 1,
        "step": "train",
        "fraction": 0.5,
        "seconds_left": 3.0,
        "text": "half",
    }
)


@pytest.fixture
def client(addon: Any, part: Callable[[str], Any]) -> Iterator[Any]:
    """The module ``engine_process.client``; no engine runs before and after."""
    module = part("engine_process.client")
    module.stop()
    yield module
    module.stop()


@pytest.fixture
def impostor(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a shell script run in place of the engine's Python."""

    def use(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PAINTOVER_ENGINE_PYTHON", str(path))

    return use


def _train(client: Any, part: Callable[[str], Any]) -> Any:
    request = part("engine.shared.protocol").Train(0, shot="/nowhere")
    return part("jobs").run_to_end("Train", client.run(request))


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'No module named torch' >&2; exit 3", "ended with code 3 and said: No module"),
        ("echo hello; sleep 60", "could not be understood .*hello"),
        ('echo \'{"version": 99, "kind": "Ready"}\'; sleep 60', "different versions"),
        ("kill -9 $$", "was ended by signal 9"),
        (f"echo '{READY}'; read line; echo '{PROGRESS}'; kill -9 $$", "was ended by signal 9"),
        (f"echo '{READY}'; read line; echo '{PROGRESS}'; echo oops; sleep 60", "oops"),
        (f"echo '{READY}'; exec >&-; sleep 60", "closed its output"),
    ],
)
def test_misbehaviour_is_one_sentence_with_the_log(
    client: Any,
    impostor: Callable[[str], None],
    part: Callable[[str], Any],
    script: str,
    told: str,
) -> None:
    impostor(script)
    with pytest.raises(part("engine.shared.errors").PaintoverError, match=told) as caught:
        _train(client, part)
    assert str(client.log_path()) in str(caught.value)
    assert client.log_path().is_file()
    assert client.running() is None
    assert not part("jobs").busy()


def test_last_line_of_the_log_is_told_if_it_is_an_error(client: Any, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("2026-11-28 07:30:00,123 INFO engine.app.worker: Job 1 starts\n")
    assert client._last_words(log) == ""
    with log.open("a") as file:
        file.write("Segmentation fault\n\n")
    assert client._last_words(log) == "Segmentation fault"


def test_engine_of_another_version_is_refused_and_ended(
    client: Any, impostor: Callable[[str], None], part: Callable[[str], Any], tmp_path: Path
) -> None:
    impostor(f"echo $$ > '{tmp_path}/pid'; echo '{_ready('0.0.9')}'; read line; sleep 60")
    with pytest.raises(part("engine.shared.errors").PaintoverError) as caught:
        _train(client, part)
    assert str(caught.value) == (
        f"The add-on is version {__version__}, but the engine in {tmp_path}/python is version "
        "0.0.9; remove Paintover from that Python (pip uninstall paintover), or choose another "
        "Python in the add-on's preferences."
    )
    assert client.running() is None
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_engine_that_never_gets_ready(
    client: Any,
    impostor: Callable[[str], None],
    part: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "READY_SECONDS", 0.3)
    impostor("sleep 60")
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="did not get ready"):
        _train(client, part)


def test_after_a_job_that_ignores_its_cancellation_another_engine_takes_over(
    client: Any,
    impostor: Callable[[str], None],
    part: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "CANCEL_SECONDS", 0.3)
    impostor(f"echo '{READY}'; read line; echo '{PROGRESS}'; read line; sleep 60")
    request = part("engine.shared.protocol").Train(0, shot="/nowhere")
    job = client.run(request)
    while next(job).text != "half":
        time.sleep(0.01)
    job.close()
    stuck = client.running()
    assert stuck is not None
    impostor(f"echo '{READY}'; read line; exit 3")
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="ended with code 3"):
        _train(client, part)
    assert not stuck.alive() and client.running() is None


def test_python_that_is_not_there(
    client: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAINTOVER_ENGINE_PYTHON", "/nowhere/python")
    with pytest.raises(
        part("engine.shared.errors").PaintoverError, match=r"/nowhere/python .* not exist"
    ):
        _train(client, part)


def test_file_that_cannot_be_run(
    client: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "python").write_text("not a program")
    monkeypatch.setenv("PAINTOVER_ENGINE_PYTHON", str(tmp_path / "python"))
    with pytest.raises(
        part("engine.shared.errors").PaintoverError, match="Cannot start the engine's"
    ):
        _train(client, part)


def test_no_engine_names_the_remedy(
    client: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = part("engine_process.environment")
    monkeypatch.delenv("PAINTOVER_ENGINE_PYTHON")
    monkeypatch.setattr(python.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="press Install Engine"):
        _train(client, part)


def test_preferences_come_first(part: Callable[[str], Any], tmp_path: Path) -> None:
    (tmp_path / "python").write_text("")
    python = part("engine_process.environment")
    preferences = python.preferences()
    preferences.engine_python = str(tmp_path / "python")
    try:
        assert python.find().path == tmp_path / "python"
    finally:
        preferences.engine_python = ""


@needs_engine
def test_real_engine_works_stays_warm_and_ends(
    client: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    protocol, errors = part("engine.shared.protocol"), part("engine.shared.errors")
    for frame in (1, 2):
        write_png(tmp_path / "in" / f"{frame:04d}.png", picture(frame))
    run = lambda source: part("jobs").run_to_end(  # noqa: E731
        "Import",
        client.run(protocol.ImportPictures(0, str(tmp_path / "shot"), str(source))),
    )
    assert run(tmp_path / "in")["frames"] == 2
    process = client.running()
    assert process.ready.engine_version
    with pytest.raises(errors.PaintoverError, match="nowhere"):
        run(tmp_path / "nowhere")
    assert client.running() is process
    os.kill(process.pid, signal.SIGKILL)
    process._process.wait()
    assert run(tmp_path / "in")["frames"] == 2
    pid = client.running().pid
    client.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_installing_needs_online_access(addon: Any) -> None:
    if bpy.app.online_access:
        pytest.skip("this Blender may use the network")
    with pytest.raises(RuntimeError, match="allow online access in Preferences"):
        bpy.ops.paintover.engine_install()


def test_each_engine_has_a_log_of_its_own(part: Callable[[str], Any], tmp_path: Path) -> None:
    kind, log = part("engine_process.log_files").LogFile, tmp_path / "engine.log"
    logs = [kind(log), kind(log)]
    assert [one.path.name for one in logs] == ["engine.log", "engine-2.log"]
    for one in logs:
        with one.open() as file:
            file.write(one.path.name.encode())
        one.close()
    third = kind(log)
    assert third.path == log
    third.close()
    assert (log.read_bytes(), (tmp_path / "engine.log.old").read_bytes()) == (b"", b"engine.log")
    log.unlink()
    log.symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="engine"):
        kind(log)
    assert not (tmp_path / "other").exists()


def test_two_live_pictures_have_a_file_each(shot: Any, part: Callable[[str], Any]) -> None:
    kind = part("engine_process.live_picture").LivePicture
    both = [kind(shot, 1, 0.5, "frame") for _ in range(2)]
    paths = [Path(live.place.path) for live in both]
    assert len(set(paths)) == 2
    folder = paths[0].parent
    for live, path in zip(both, paths, strict=True):
        assert path.stat().st_size == live.place.size
        live.close()
    assert list(folder.iterdir()) == []
