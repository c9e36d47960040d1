# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path that a user can take, once in a size that people work in, judged by the pictures.

Whole shots go through the command line; nothing else is known of the engine here. On frames that
nobody painted the result has to be much closer to the right painting than the render is, on the
painted frame closer still, and nothing may be painted where nothing is. What one of these paths
does exactly is tested elsewhere, in small pictures; here each meets a size, a format and options
that it is used with. In order of the tests:

| shot | input | size | network | learnt | looked at |
|---|---|---|---|---|---|
| footage | PNG 8 | 512×288 | fast, integers | a keyframe | PNG 8, score, info, retouched frame |
| footage | PNG 8 | 512×288 | fast, floats | a keyframe | PNG 8, beside integers |
| footage | PNG 8 | 512×288 | fast, integers | a keyframe | PNG 16, EXR |
| footage | PNG 8 | 512×288 | fast, integers | `--resume`, `--from` | PNG 8 |
| footage | PNG 8 | 512×288 | none | a keyframe | preview in PNG 16 |
| footage | PNG 8 | 512×288 | paper, filter | a keyframe | colours of a frame |
| footage, matte | PNG 16 | 271×481 | small | a keyframe | PNG 16, an empty frame |
| footage, matte | PNG 16 | 97×1201 | small | a keyframe | PNG 16, an empty frame |
| footage, matte, `--guide` | EXR | 480×270 | fast | a keyframe in EXR | EXR, score of a mask |
| footage with noise | JPEG | 480×270 | small, `--filter` | a keyframe | PNG 8 |
| footage | PNG 8 | 480×270 | small | two keyframes, `--mask` | PNG 8 |
| captured, surface | PNG 8 | 480×270 | small | a keyframe, `keys/0001.mask.png` | PNG 8 |
| footage | PNG 8 | 480×270 | small | two styles, `--keys` | PNG 8, preview with weights |
| captured, surface | PNG 8 | 640×360 | fast | a keyframe | 1 and 2 threads, `--light`, preview |
| captured, motion | PNG 16 | 641×361 | small | a keyframe | EXR, retouched frame |
| footage, matte | PNG 8 | 480×270 | small | a keyframe that lets through | alpha, preview |
| captured, surface | PNG 8 | 480×270 | small | an opaque keyframe | alpha |
| captured, surface | PNG 8 | 2560×1664 | small | a keyframe | painted in bands |
| footage | PNG 8 | 2560×1664 | small | a keyframe | painted as a whole |

Captured shots have alpha too, but for the large one. Those that take `fast` are computed in
integers where the processor is fast in them; all others on the way as it is chosen.
"""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch
from painted_checks import (
    assert_keyframes_closest,
    assert_nothing_outside,
    assert_painted,
    difference,
)
from painted_scenes import GLASS, PAPER, Scene
from real_sizes import Project, write
from safetensors import safe_open
from safetensors.numpy import save_file

SMALL = ("--network", "small")


@pytest.fixture(scope="session")
def learnt_project(tmp_path_factory) -> Project:
    """Plain footage with a style; not to be changed."""
    project = Project(tmp_path_factory.mktemp("plain"), Scene(512, 288))
    project.make(threads=1)
    project.train("--steps", 40, threads=1)
    return project


@pytest.fixture
def plain(learnt_project, tmp_path) -> Project:
    """A copy of it, to be changed."""
    return learnt_project.copy(tmp_path)


def test_plain_footage(plain):
    plain.stylize(threads=2)
    off = assert_painted(plain)
    assert_keyframes_closest(plain, off)
    assert_nothing_outside(plain)
    truth = plain.write("truth")
    words = ("--truth", truth, "--json")
    scores = json.loads(plain.engine("score", plain.shot, *words, threads=1))["frames"]
    assert sorted(scores) == ["2", "3"]
    for frame, score in scores.items():
        painting = plain.scene.painting(int(frame))
        error = np.square(plain.result(int(frame))[..., :3] - painting).mean()
        assert score["psnr"] == pytest.approx(-10 * math.log10(error), abs=0.1)
        untouched = np.square(plain.scene.render(int(frame)) - painting).mean()
        assert score["psnr"] > -10 * math.log10(untouched) + 10
    steady = json.loads(plain.engine("score", plain.shot, "--no-truth", "--json", threads=1))
    assert sorted(steady["frames"]) == ["1", "2", "3"]
    info = json.loads(plain.engine("info", plain.shot, "--json", threads=1))
    assert info["styles"]["style"]["training"]["state"] == "up to date"
    assert info["styles"]["style"]["stylizing"]["state"] == "up to date"
    assert_retouched_is_kept(plain)


def assert_retouched_is_kept(project: Project, suffix: str = ".png", *words: object) -> None:
    """Retouch a stylized frame; painted anew, it is kept as a version."""
    path = project.shot / "out" / "style" / f"0002{suffix}"
    before = project.result(2, suffix=suffix)
    retouched = write(path, np.dstack([before[..., 2::-1], before[..., 3]])).read_bytes()
    project.engine("stylize", project.shot, *words)
    assert path.read_bytes() == retouched and not (path.parent / "versions").exists()
    project.stylize("--frames", 2, *words)
    (version,) = (path.parent / "versions").iterdir()
    assert version.name.startswith("0002.") and version.read_bytes() == retouched
    assert np.array_equal(project.result(2, suffix=suffix), before)
    write(path, np.dstack([before[..., 1::-1], before[..., 2:]]))
    again = path.read_bytes()
    for format in {"png", "exr"} - {suffix[1:]}, {suffix[1:]}:
        project.stylize("--frames", 2, "--format", *format)
    assert again in [other.read_bytes() for other in version.parent.iterdir() if other != version]


def _without_digests(header: str) -> str:
    """A style's header as earlier versions wrote it."""
    return json.dumps(
        {k: v for k, v in json.loads(header).items() if k not in ("weights", "check")}
    )


def test_floats_give_nearly_what_integers_give(plain):
    """A style that does not tell what its network saw is computed in floating point."""
    styles = plain.shot / "styles"
    with safe_open(styles / "style.safetensors", "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        bare = {name: value for name, value in tensors.items() if not name.startswith("seen.")}
        assert len(bare) < len(tensors)
        metadata = {name: _without_digests(text) for name, text in file.metadata().items()}
        save_file(bare, styles / "float.safetensors", metadata)
    plain.stylize()
    plain.stylize(style="float")
    assert_keyframes_closest(plain, assert_painted(plain, "float"))
    has_integers = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    for frame in plain.frames:
        results = plain.result(frame), plain.result(frame, "float")
        apart = difference(*results, plain.scene.alpha(frame) > 0)
        is_painted = frame in plain.keys
        assert (0 < apart < 1) if has_integers and not is_painted else apart == 0


@pytest.mark.parametrize(("format", "depth"), [("png", 16), ("exr", 8)])
def test_finer_files(plain, format, depth):
    plain.stylize("--format", format, "--depth", depth)
    off = assert_painted(plain, suffix="." + format)
    assert_keyframes_closest(plain, off)
    plain.stylize()
    for frame in plain.frames:
        coarse, fine = plain.result(frame), plain.result(frame, suffix="." + format)
        assert np.abs(coarse - fine).max() < 2 / 255


def test_resumed_and_from_another_style(plain):
    plain.train("--resume", "--steps", 10)
    plain.train("--from", "style", "--steps", 10, style="other")
    for style, steps in (("style", 50), ("other", 10)):
        path = plain.shot / "styles" / f"{style}.safetensors"
        assert json.loads(plain.engine("info", path, "--json"))["steps"] == steps
        plain.stylize(style=style)
        assert_keyframes_closest(plain, assert_painted(plain, style))


def test_a_preview_without_training(plain):
    plain.engine("preview", plain.shot, "--depth", 16)
    assert_keyframes_closest(plain, assert_painted(plain, "preview"))
    assert_nothing_outside(plain, "preview")


def test_the_published_method(plain):
    """It learns slowly, so only the colours are looked at, of one frame."""
    faster = ("--patch", 16, "--batch", 4, "--blocks", 1, "--rate", 0.002, "--steps", 40)
    plain.train("--network", "paper", *faster, style="paper")
    plain.stylize("--frames", 2, style="paper")
    assert_painted(plain, "paper", share=0.8, blur=8)


@pytest.mark.parametrize("size", [(271, 481), (97, 1201)])
def test_footage_with_a_matte_in_odd_sizes_and_an_empty_frame(tmp_path, size):
    project = Project(tmp_path, Scene(*size, opaque=False, empty=(3,)))
    project.make(bits=16)
    project.train(*SMALL, "--steps", 50)
    project.stylize("--depth", 16)
    assert_keyframes_closest(project, assert_painted(project))
    assert_nothing_outside(project)


def test_exr_with_further_guides(tmp_path):
    scene = Scene(480, 270, opaque=False)
    project = Project(tmp_path, scene)
    guides = []
    for name in ("shapes", "mask"):
        for frame in project.frames:
            share = scene.shares(frame)[-1] if name == "shapes" else scene.alpha(frame)
            write(tmp_path / name / f"{frame:04d}.png", share)
        guides += ["--guide", f"{name}={tmp_path / name}"]
    project.make(*guides, suffix=".exr")
    project.train("--steps", 40)
    style = json.loads(
        project.engine("info", project.shot / "styles" / "style.safetensors", "--json")
    )
    assert {"guide:shapes", "guide:mask"} <= set(style["guides"])
    project.stylize("--format", "exr")
    assert_keyframes_closest(project, assert_painted(project, suffix=".exr"))
    assert_nothing_outside(project, suffix=".exr")
    truth = project.write("truth", ".exr")
    scores = json.loads(project.engine("score", project.shot, "--truth", truth, "--json"))
    assert scores["mean"]["psnr"] > 20


def test_noisy_footage_filtered_over_time(tmp_path):
    project = Project(tmp_path, Scene(480, 270, noise=0.06), frames=4)
    project.make(suffix=".jpg")
    project.train(*SMALL, "--filter", "--steps", 50)
    project.stylize()
    assert_keyframes_closest(project, assert_painted(project, share=0.35))


def spoil(project: Project, key: int, learnt: np.ndarray) -> None:
    """Paint a keyframe as it should not be painted, but in a part of it."""
    right, wrong = project.scene.painting(key), np.array([1, 0, 1, 1], np.float32)
    spoilt = np.where(learnt[..., None], right, wrong[: right.shape[2]])
    write(project.shot / "keys" / f"{key:04d}.png", spoilt)


def test_corrected_copies_are_kept(tmp_path):
    """Of a frame, a guide and a matte, when they are imported again, and a matte, by itself."""
    scene = Scene(480, 270, opaque=False)
    project = Project(tmp_path, scene)
    folders = {"frames": tmp_path / "input", "guides/shape": tmp_path / "shape"}
    folders["mattes/matte"] = tmp_path / "matte"
    for frame in project.frames:
        for name in ("shape", "matte"):
            write(tmp_path / name / f"{frame:04d}.png", scene.alpha(frame))
    words = ("--guide", f"shape={tmp_path / 'shape'}", "--mask", tmp_path / "matte")
    project.make(*words)
    corrected = {}
    for name in folders:
        path = project.shot / name / "0002.png"
        corrected[name] = write(path, scene.alpha(2) * 0.5).read_bytes()
    project.engine("import", project.shot, "--input", tmp_path / "input", *words)
    for name, folder in folders.items():
        (version,) = (project.shot / name / "versions").iterdir()
        assert version.read_bytes() == corrected[name]
        assert (project.shot / name / "0002.png").read_bytes() == (folder / "0002.png").read_bytes()
    write(project.shot / "mattes" / "matte" / "0001.png", scene.alpha(1) * 0.5)
    project.engine("matte", project.shot, "--input", tmp_path / "matte")
    assert len(list((project.shot / "mattes/matte/versions").iterdir())) == 2


def test_masks_of_two_keyframes(tmp_path):
    """Each painting is right in a part of the frame, and the masks tell in which."""
    scene = Scene(480, 270)
    project = Project(tmp_path, scene, frames=4, keys=(1, 4))
    across = scene.places[0] / scene.width
    parts = {1: across < 0.6, 4: across > 0.4}
    for key, part in parts.items():
        write(tmp_path / "mask" / f"{key:04d}.png", part.astype(np.float32))
    project.make("--mask", tmp_path / "mask")
    for key, part in parts.items():
        spoil(project, key, part)
    project.train(*SMALL, "--steps", 50)
    project.stylize()
    assert_keyframes_closest(project, assert_painted(project, parts=parts))
    assert_painted(project)


def test_a_mask_of_a_captured_keyframe(tmp_path):
    scene = Scene(480, 270, opaque=False)
    project = Project(tmp_path, scene)
    project.capture(surface=True)
    right = scene.places[1] < 0.7 * scene.height
    spoil(project, 1, right)
    write(project.shot / "keys" / "0001.mask.png", right.astype(np.float32))
    project.train(*SMALL, "--steps", 50)
    project.stylize()
    shown = {frame: right & (scene.alpha(frame) > 0.5) for frame in project.frames}
    assert_keyframes_closest(project, assert_painted(project, parts=shown))
    assert_painted(project, share=0.5)
    assert_nothing_outside(project)


def test_two_styles_in_one_shot_and_weights(tmp_path):
    gouache = Project(tmp_path, Scene(480, 270))
    chalk = Project(tmp_path, Scene(480, 270, style=1), keys=(3,))
    gouache.make()
    write(gouache.shot / "keys" / "0003.png", chalk.scene.painting(3))
    for name, project in {"gouache": gouache, "chalk": chalk}.items():
        project.train(*SMALL, "--steps", 30, "--keys", project.keys[0], style=name)
        project.stylize(style=name)
    assert_keyframes_closest(gouache, assert_painted(gouache, "gouache"))
    assert_keyframes_closest(chalk, assert_painted(chalk, "chalk"))
    gouache.engine("weights", gouache.shot, "1=0@2", "3=1@2")
    gouache.engine("preview", gouache.shot, "--frames", 2)
    assert_painted(chalk, "preview")
    gouache.engine("weights", gouache.shot, "1=1@2", "3=0@2")
    gouache.engine("preview", gouache.shot, "--frames", 2)
    assert_painted(gouache, "preview")


def test_captured_with_surface(tmp_path):
    scene = Scene(640, 360, opaque=False)
    project = Project(tmp_path, scene)
    project.capture(surface=True)
    project.train("--steps", 30)
    project.stylize(threads=2)
    assert_keyframes_closest(project, assert_painted(project))
    assert_nothing_outside(project)
    by_two_threads = project.result(2)
    project.stylize("--frames", 2)
    assert np.abs(project.result(2) - by_two_threads).max() < 2 / 255
    for light, share in ((0, 0.25), (1, 0.6)):
        project.stylize("--frames", 2, "--light", light)
        assert not np.array_equal(project.result(2), by_two_threads)
        assert_painted(project, share=share)
    project.engine("preview", project.shot)
    assert_keyframes_closest(project, assert_painted(project, "preview"))
    for frame in project.frames:
        alpha = project.result(frame, "preview")[..., 3]
        assert np.abs(alpha - scene.alpha(frame)).max() < 0.003


def test_captured_without_surface(tmp_path):
    project = Project(tmp_path, Scene(641, 361, opaque=False))
    project.capture(surface=False, bits=16)
    project.train(*SMALL, "--steps", 50)
    project.stylize("--format", "exr")
    assert_keyframes_closest(project, assert_painted(project, suffix=".exr"))
    assert_nothing_outside(project, suffix=".exr")
    assert_retouched_is_kept(project, ".exr", "--format", "exr")


def test_alpha_is_learnt(tmp_path):
    """Also that nothing is where neither the frame nor the painting shows anything."""
    scene = Scene(480, 270, opaque=False, glass=True)
    project = Project(tmp_path, scene)
    project.make()
    project.train(*SMALL, "--steps", 80)
    project.stylize("--unpainted", "nothing")
    project.engine("preview", project.shot, "--unpainted", "nothing")
    for style in ("style", "preview"):
        assert_painted(project, style)
        for frame in project.frames:
            alpha, truth = project.result(frame, style)[..., 3], scene.painting(frame)[..., 3]
            assert np.abs(alpha - truth).mean() < 0.3 * np.abs(scene.alpha(frame) - truth).mean()
            assert alpha[scene.alpha(frame) == 1].mean() == pytest.approx(GLASS, abs=0.1)
            assert alpha[:, -100:].max() < 0.03


def test_an_opaque_painting_of_a_transparent_frame(tmp_path):
    scene = Scene(480, 270, opaque=False, paper=True)
    project = Project(tmp_path, scene)
    project.capture(surface=True)
    project.train(*SMALL, "--steps", 80)
    project.stylize()
    assert_keyframes_closest(project, assert_painted(project))
    for frame in project.frames:
        result = project.result(frame)
        assert (result[..., 3] == 1).all()
        assert np.abs(result[scene.alpha(frame) == 0][:, :3] - PAPER).mean() < 0.15


@pytest.mark.parametrize("captured", [True, False])
def test_large(tmp_path, captured):
    """More than four million pixels are painted in bands."""
    project = Project(tmp_path, Scene(2560, 1664), frames=2)
    if captured:
        project.capture(surface=True, compression="none")
    else:
        project.make()
    project.train(*SMALL, "--steps", 20)
    project.stylize("--frames", "1-2" if captured else 2, threads=2)
    off = assert_painted(project)
    if captured:
        assert_keyframes_closest(project, off)
    shutil.rmtree(tmp_path)  # hundreds of megabytes, which pytest would keep
