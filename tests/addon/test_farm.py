# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs for farms, as the add-on writes them; ``tests/farm`` runs them."""

from __future__ import annotations

import http.server
import json
import os
import re
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
import yaml
from conftest import picture, write_png


@pytest.fixture
def painted(shot: Any) -> Any:
    """The shot of the scene with a painting of frame 2."""
    write_png(shot.key_path(2), picture(2, seed=2))
    return shot


def values(folder: Path) -> dict[str, Any]:
    """The parameters of a bundle; they are written so that each is a line of JSON."""
    text = (folder / "parameter_values.yaml").read_text("utf-8")
    found = re.findall(r"- name: (\w+)\n    value: (.*)", text)
    return {name: json.loads(value) for name, value in found}


def steps(folder: Path) -> list[str]:
    text = (folder / "template.yaml").read_text("utf-8")
    return re.findall(r"^  - name: (\w+)$", text.partition("\nsteps:\n")[2], re.MULTILINE)


def test_a_bundle_has_the_settings_of_the_scene(painted: Any, scene: Any, tmp_path: Path) -> None:
    scene.paintover.light, scene.paintover.depth = 0.25, "16"
    folder = tmp_path / "job"
    assert bpy.ops.paintover.farm_export(directory=str(folder), gpu=True) == {"FINISHED"}
    found = values(folder)
    assert found["BlendFile"] == bpy.data.filepath
    assert found["ShotFolder"] == str(painted.folder)
    assert (found["Frames"], found["Light"], found["Depth"]) == ("1-3", 0.25, 16)
    assert Path(found["EngineFolder"], "__main__.py").is_file()
    assert found["Addon"] == "bl_ext.user_default.paintover"
    assert steps(folder) == ["Capture", "Train", "Stylize", "Compose", "Encode"]
    template = (folder / "template.yaml").read_text("utf-8")
    train = template[template.index("- name: Train") : template.index("- name: Stylize")]
    assert "amount.worker.gpu" in train and template.count("amount.worker.gpu") == 1
    assert bpy.ops.paintover.farm_export(directory=str(folder)) == {"FINISHED"}
    assert "amount.worker.gpu" not in (folder / "template.yaml").read_text("utf-8")


def test_every_choice_of_the_scene_is_one_of_the_job(
    painted: Any, scene: Any, part: Callable[[str], Any]
) -> None:
    jobs = part("farm_export").JOBS
    template = (jobs / "openjd" / "template.yaml").read_text("utf-8")
    for name in ("device", "format", "depth", "unpainted"):
        found = re.search(
            rf"- name: {name.title()}\n(?:    .*\n)*?    allowedValues: \[(.*)\]", template
        )
        assert found
        choices = scene.paintover.bl_rna.properties[name].enum_items.keys()
        assert set(choices) == set(found[1].split(", "))


@pytest.mark.parametrize(("kind", "suffix"), [("FFMPEG", ".png"), ("OPEN_EXR", ".exr")])
def test_flamenco_looks_for_the_frames_that_are_composed(
    painted: Any, scene: Any, part: Callable[[str], Any], kind: str, suffix: str
) -> None:
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO" if kind == "FFMPEG" else "IMAGE"
    settings.file_format = kind
    found = part("flamenco").job_settings(scene, painted)["image_file_extension"]
    assert found == suffix
    script = (part("farm_export").JOBS / "flamenco" / "paintover.js").read_text("utf-8")
    told = re.search(r'key: "image_file_extension".*\n\s+eval: "(.*)"', script)
    assert told and eval(told[1], {"C": types.SimpleNamespace(scene=scene)}) == found


def test_pictures_from_elsewhere_are_not_captured(painted: Any, scene: Any, tmp_path: Path) -> None:
    painted.manifest.source = {"kind": "pictures", "input": "elsewhere"}
    painted.save()
    scene.frame_end = 90
    assert bpy.ops.paintover.farm_export(directory=str(tmp_path / "job")) == {"FINISHED"}
    assert steps(tmp_path / "job") == ["Train", "Stylize", "Compose", "Encode"]
    assert "dependsOn: Capture" not in (tmp_path / "job" / "template.yaml").read_text("utf-8")
    assert values(tmp_path / "job")["Frames"] == "1-3"


def test_the_job_that_searches(painted: Any, part: Callable[[str], Any], tmp_path: Path) -> None:
    """By the command, and by the button with a GPU."""
    command, button = tmp_path / "command", tmp_path / "button"
    assert part("command").main(["farm", "--openjd", str(command), "--sweep"]) == 0
    done = bpy.ops.paintover.farm_export(directory=str(button), searches=True, gpu=True)
    assert done == {"FINISHED"}
    for folder, on_gpu in ((command, 0), (button, 2)):
        assert steps(folder) == ["Search", "Train"]
        assert (folder / "template.yaml").read_text("utf-8").count("amount.worker.gpu") == on_gpu
        found = values(folder)
        assert found["ShotFolder"] == str(painted.folder)
        assert found["JobName"].startswith("Paintover sweep ")
        assert not {"Frames", "BlendFile", "Style"} & set(found)


def test_a_job_of_another_program_is_not_overwritten(
    painted: Any, part: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "template.yaml"
    other.write_text("steps: []\n")
    words = ["farm", "--openjd", str(tmp_path), "--progress", "openjd"]
    assert part("command").main(words) == 1
    assert f"openjd_fail: {other} is not of Paintover" in capsys.readouterr().out
    assert other.read_text() == "steps: []\n"


@pytest.mark.parametrize(
    "name", ["parameter_values.yaml", "asset_references.yaml", "openjd_values.json"]
)
def test_files_beside_no_template_are_not_overwritten(
    painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("a: 1\n")
    with pytest.raises(part("engine.shared.errors").PaintoverError, match=f"{name} is not of Pai"):
        part("farm_export").write_openjd(scene, tmp_path)
    assert [path.name for path in tmp_path.glob("*.[yj]*")] == [name]
    assert (tmp_path / name).read_text() == "a: 1\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_of_a_template_only_the_head_is_read(
    painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    template, error = tmp_path / "template.yaml", part("engine.shared.errors").PaintoverError
    with template.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(error, match="is not of Paintover"):
        part("farm_export").write_openjd(scene, tmp_path)
    template.unlink()
    os.mkfifo(template)
    with pytest.raises(error, match="is not of Paintover"):
        part("farm_export").write_openjd(scene, tmp_path)


def test_names_of_any_characters_stand_in_the_bundle(
    scene: Any, part: Callable[[str], Any]
) -> None:
    name = 'shot 🎨 影 "\\ \x7f \x85 \u2028 \ufeff \n'
    export = part("farm_export")
    found = yaml.safe_load(export._values_text({"JobName": name, "Fps": 24.0}))
    assert [one["value"] for one in found["parameterValues"]] == [name, 24.0]
    folders = {"BlendFile": name, "ShotFolder": name, "EngineFolder": name, "OutputFolder": name}
    found = yaml.safe_load(export._assets_text(folders))["assetReferences"]
    assert name in found["inputs"]["filenames"]
    assert found["outputs"]["directories"] == [name, name]
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="not valid text"):
        export._values_text({"Scene": "a\udcff"})


def test_what_is_missing_is_said(shot: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no keyframe yet"):
        bpy.ops.paintover.farm_export(directory=str(tmp_path / "job"))
    assert not (tmp_path / "job").exists()


def test_composed_frames_are_rendered_once(
    painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    for frame in (1, 2, 3):
        write_png(painted.out_path("style", frame), picture(frame, seed=3))
    part("steps").compose(scene)
    bpy.ops.wm.save_mainfile()
    folder, run = tmp_path / "composed", part("jobs").run_to_end
    render = part("composed_frames").render
    scene.render.image_settings.file_format = "PNG"
    job = lambda: run("Compose", render(scene, painted, "style", folder, [1, 2]))  # noqa: E731
    assert job() == f"Rendered 2 frames to {folder}"
    assert sorted(path.name for path in folder.iterdir()) == ["0001.png", "0002.png", "made"]
    assert job() == f"Rendered 0 frames to {folder}; 2 up to date"
    write_png(painted.out_path("style", 2), picture(2, seed=4))
    assert job() == f"Rendered 1 frame to {folder}; 1 up to date"


@pytest.fixture
def compose(painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path) -> Any:
    """Renders three composed frames, in a format, after stylized frames were replaced."""
    for frame in (1, 2, 3):
        write_png(painted.out_path("style", frame), picture(frame, seed=3))
    part("steps").compose(scene)
    bpy.ops.wm.save_mainfile()

    def run(*changed: int, file_format: str = "PNG") -> str:
        for frame in changed:
            earlier = painted.out_path("style", frame).read_bytes()
            write_png(painted.out_path("style", frame), picture(frame, seed=sum(earlier)))
        scene.render.image_settings.file_format = file_format
        render = part("composed_frames").render
        job = render(scene, painted, "style", tmp_path / "composed", [1, 2, 3])
        return str(part("jobs").run_to_end("Compose", job))

    return run


def _versions(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "versions").glob("*")]


def test_files_of_others_are_not_replaced_by_composed_frames(
    compose: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    mine = tmp_path / "composed" / "0003.png"
    write_png(mine, picture(9))
    before = mine.read_bytes()
    with pytest.raises(part("engine.shared.errors").PaintoverError, match=r"3\.png is in the way"):
        compose()
    assert [path.name for path in mine.parent.iterdir()] == ["0003.png"]
    mine.rename(tmp_path / "moved.png")
    compose()
    (tmp_path / "moved.png").rename(mine.with_suffix(".jpg"))
    with pytest.raises(part("engine.shared.errors").PaintoverError, match=r"3\.jpg is in the way"):
        compose(file_format="JPEG")
    assert mine.with_suffix(".jpg").read_bytes() == before


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_composed_frames_that_were_changed_are_kept(
    compose: Any, tmp_path: Path, file_format: str
) -> None:
    folder = tmp_path / "composed"
    compose(file_format=file_format)
    path = folder / ("0002.png" if file_format == "PNG" else "0002.jpg")
    write_png(path, picture(5))
    changed = path.read_bytes()
    assert "3 up to date" in compose(file_format=file_format)
    compose(file_format="BMP")
    message = compose(1, 2, file_format=file_format)
    assert f"; 2 had been changed, what was there is in {folder / 'versions'}" in message
    assert _versions(folder) == [changed] and path.read_bytes() != changed
    assert "changed" not in compose(1, 2, file_format=file_format)
    assert _versions(folder) == [changed]


def test_a_killed_job_knows_its_own_composed_frame(
    compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = tmp_path / "composed", Path.replace
    compose()
    for stage in ("0002.png", "0002.json"):
        seen: list[str] = []

        def killed(path: Path, target: Path, stage: str = stage, seen: Any = seen) -> Path:
            seen.append(Path(target).name)
            if seen.count("0002.json") == 1 + (stage == "0002.json") and seen[-1] == stage:
                raise KeyboardInterrupt
            return real(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                compose(2)
        assert compose() == f"Rendered 1 frame to {folder}; 2 up to date"
        assert _versions(folder) == []


def test_composed_frames_of_an_earlier_version_are_ours(compose: Any, tmp_path: Path) -> None:
    folder = tmp_path / "composed"
    compose()
    for path in folder.glob("made/*.json"):
        path.write_text(json.dumps({"from": json.loads(path.read_text())["made_from"]}))
    assert "3 up to date" in compose()
    assert compose(2) == f"Rendered 1 frame to {folder}; 2 up to date"
    assert _versions(folder) == []


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_no_composed_frame_is_written_through_a_link(
    painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    write_png(painted.out_path("style", 1), picture(1, seed=3))
    part("steps").compose(scene)
    bpy.ops.wm.save_mainfile()
    outside = tmp_path / "outside"
    (outside / "style").mkdir(parents=True)
    (outside / "style" / "0001.png").write_bytes(b"mine")
    (painted.folder / "composed").symlink_to(outside)
    folder, run = painted.folder / "composed" / "style", part("jobs").run_to_end
    job = part("composed_frames").render(scene, painted, "style", folder, [1])
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="is a link"):
        run("Compose", job)
    assert [path.read_bytes() for path in outside.rglob("*.png")] == [b"mine"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_note_beside_a_composed_frame_is_read_within_bounds(
    part: Callable[[str], Any], tmp_path: Path
) -> None:
    frame, note = tmp_path / "0001.png", tmp_path / "made" / "0001.json"
    frame.touch()
    note.parent.mkdir()
    is_made = part("composed_frames")._is_made
    note.write_text('{"from": "ab"}')
    assert is_made(frame, "ab") and not is_made(frame, "cd")
    note.write_text("[" * 100_000)
    assert not is_made(frame, "ab")
    note.write_text('{"from": "ab"}' + " " * 2000)
    assert not is_made(frame, "ab")
    note.unlink()
    os.mkfifo(note)
    assert not is_made(frame, "ab")


def test_several_files_a_frame_are_refused_before_anything_is_rendered(
    painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    scene.render.use_multiview = True
    scene.render.image_settings.views_format = "INDIVIDUAL"
    job = part("composed_frames").render(scene, painted, "style", tmp_path / "out", [1])
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="Stereo 3D"):
        part("jobs").run_to_end("Compose", job)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def manager() -> Iterator[tuple[str, list[Any]]]:
    """A Manager of Flamenco, and the jobs that it was sent; it refuses those of no frames."""
    jobs: list[Any] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            jobs.append(
                (self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            )
            style = jobs[-1][1]["settings"]["style"]
            refused = style == "refused"
            text = b"no such style" if refused else b'{"id": "4f1c", "status": "queued"}'
            text = b"[" * 60_000 if style == "deep" else text
            self.send_response(400 if refused else 200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", jobs
        server.shutdown()


def test_flamenco_gets_the_job_by_script(
    painted: Any,
    scene: Any,
    part: Callable[[str], Any],
    manager: tuple[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address, jobs = manager
    main, flamenco = part("command").main, part("flamenco")
    monkeypatch.setattr(flamenco, "may_use_network", lambda: False)
    assert main(["farm", "--flamenco", address]) == 1
    assert "online access is off" in capsys.readouterr().err
    monkeypatch.setattr(flamenco, "may_use_network", lambda: True)
    assert main(["farm", "--flamenco", address]) == 0
    assert f"{address} has the job 4f1c" in capsys.readouterr().out
    (path, job), *_ = jobs
    assert path == "/api/v3/jobs"
    assert (job["type"], job["name"]) == ("paintover", "Paintover my shot é")
    assert job["settings"]["shot_folder"] == painted.folder.as_posix()
    assert job["settings"]["blendfile"] == bpy.data.filepath
    scene.paintover.style = "refused"
    assert main(["farm", "--flamenco", address]) == 1
    assert "refuses the job (400): no such style" in capsys.readouterr().err
    scene.paintover.style = "deep"
    assert main(["farm", "--flamenco", address]) == 1
    assert "does not answer as Flamenco does" in capsys.readouterr().err
    assert main(["farm", "--flamenco", "farm:8080"]) == 1
    assert main(["farm", "--flamenco", "http://127.0.0.1:9"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_settings_are_those_of_the_job_type(
    painted: Any, scene: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    flamenco = part("flamenco")
    script = (part("farm_export").JOBS / "flamenco" / "paintover.js").read_text("utf-8")
    known = set(re.findall(r'key: "(\w+)"', script))
    assert set(flamenco.job_settings(scene, painted)) < known
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="network name"):
        flamenco.check_folder(Path(r"\\server\share\shot"))


def test_through_its_add_on(
    painted: Any, scene: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    flamenco = part("flamenco")
    assert not bpy.ops.paintover.farm_flamenco.poll()
    with_add_on = types.SimpleNamespace(
        paintover=scene.paintover,
        render=scene.render,
        name_full=scene.name_full,
        frame_start=1,
        frame_end=3,
        flamenco_job_type="",
        flamenco_job_settings=types.SimpleNamespace(frames="", shot_folder="", other=1),
    )
    monkeypatch.setattr(flamenco, "prepared_shot", lambda scene: painted)
    assert flamenco.fill_add_on(with_add_on) == "Paintover my shot é"
    assert with_add_on.flamenco_job_type == "paintover"
    filled = with_add_on.flamenco_job_settings
    assert (filled.frames, filled.shot_folder) == ("1-3", painted.folder.as_posix())
