# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Engine against a package index of our own: slow, broken off, lying, behind a proxy."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import MODULE, USER_FOLDER, engine_runs

from benchmarks.package_server import PackageServer, write_wheel

ENGINE = Path(os.environ["PAINTOVER_ENGINE_PYTHON"])
UV = ENGINE.parent / "uv"
BIG = 3_000_000
"""Bytes of the largest wheel of the index."""

pytestmark = pytest.mark.skipif(not UV.is_file(), reason=f"there is no {UV}")


@pytest.fixture(scope="session")
def uv_wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The real uv, packed as in its wheel, and its digest and size."""
    path = tmp_path_factory.mktemp("uv") / "uv-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.write(UV, "uv-9.9.9.data/scripts/uv")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, {"sha256": digest, "bytes": path.stat().st_size}


class Setup:
    """The add-on's set-up with a lock of small wheels, and the index that serves them."""

    def __init__(
        self, part: Callable[[str], Any], folder: Path, uv_wheel: tuple[Path, dict[str, Any]]
    ) -> None:
        self.part = part
        self.builds, self.places = part("engine_setup.builds"), part("engine_setup.places")
        self.status, self.record = part("engine_setup.status"), part("engine_setup.record")
        self.server = PackageServer()
        self.folder = folder
        self.locks = folder / "locks"
        self.locks.mkdir()
        path, known = uv_wheel
        self.uv = {"file": path.name, **known}
        self.server.files[path.name] = path.read_bytes()
        self.wheels: dict[str, Path] = {}
        # With the packages of the tests' own engine, the check can really train.
        sites = [str(path) for path in ENGINE.parent.parent.glob("lib/python3.*/site-packages")]
        self.put("torch", "2.13.0+cpu", {"torch_of_tests.pth": "\n".join([*sites, ""])})
        self.put("numpy", "1.0", {"ballast.txt": os.urandom(BIG // 2).hex()})
        self.put("av", "18.1", {"small.py": "x = 1\n"})
        self.lock()

    @property
    def name(self) -> str:
        return f"{self.builds.this_platform()}-cpu"

    def put(self, name: str, version: str, files: dict[str, str]) -> Path:
        self.wheels[name] = write_wheel(self.folder, name, version, files)
        return self.wheels[name]

    def lock(self) -> None:
        """Write the add-on's lock anew, and serve its wheels."""
        known = {path.name: self.server.add(path) for path in self.wheels.values()}
        size = sum(entry["bytes"] for entry in known.values())
        python = {"wheels": list(known), "download": size, "is_exact": True}
        platform = self.builds.this_platform()
        build = {
            "platform": platform,
            "backend": "cpu",
            "source": "index",
            "download": size,
            "disk": size * 3,
            "pythons": dict.fromkeys(self.builds.PYTHONS, python),
        }
        names = {f"{platform}-cpu": build, f"{platform}-cu126": _without_lock(build)}
        data = {"uv": {platform: self.uv}, "builds": names, "files": known}
        (self.locks / "wheels.json").write_text(json.dumps(data))
        for cached in (self.builds._data, self.builds.all_builds):
            cached.cache_clear()

    def place_uv(self) -> None:
        program = self.part("engine_setup.commands").uv_path(self.places.folder())
        program.parent.mkdir(parents=True)
        shutil.copy(UV, program)
        (program.parent / "wheel.txt").write_text(self.uv["file"])

    def install(self, **options: str) -> None:
        self.part("engine_setup.web").files_of.cache_clear()
        bpy.ops.paintover.engine_install(**{"python": str(ENGINE), **options})

    def fails(self, match: str, **options: str) -> str:
        with pytest.raises(RuntimeError, match=match):
            self.install(**options)
        sentence: str = self.status.failure()
        assert "Traceback" not in sentence and sentence.endswith(".")
        return sentence


def _without_lock(build: dict[str, Any]) -> dict[str, Any]:
    return {**build, "backend": "cu126", "pythons": {}}


@pytest.fixture
def setup(
    addon: Any,
    part: Callable[[str], Any],
    tmp_path: Path,
    uv_wheel: tuple[Path, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Setup]:
    environment = part("engine_process.environment")
    monkeypatch.setattr(environment, "_blender_has_packages", lambda: False)
    home = tmp_path / "a home é with spaces"
    home.mkdir()
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(home))
    monkeypatch.delenv("PAINTOVER_ENGINE_PYTHON")
    monkeypatch.setattr(part("engine_setup.downloads"), "FIRST_WAIT", 0.01)
    work = tmp_path / "index"
    work.mkdir()
    found = Setup(part, work, uv_wheel)
    monkeypatch.setattr(found.builds, "LOCKS", found.locks)
    found.lock()
    preferences = environment.preferences()
    preferences.package_index = f"{found.server.address}/simple"
    preferences.torch_index = f"{found.server.address}/whl"
    system: Any = bpy.context.preferences.system
    before, system.use_online_access = system.use_online_access, True
    yield found
    system.use_online_access = before
    preferences.property_unset("package_index")
    preferences.property_unset("torch_index")
    preferences.engine_python = ""
    found.server.close()
    found.status.remember_failure("")
    monkeypatch.undo()
    for cached in (found.builds._data, found.builds.all_builds):
        cached.cache_clear()


@pytest.fixture
def quick_check(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """uv is there, and the check only imports a package; ``faults[0]`` is that of the card."""
    setup.place_uv()
    module, kind = setup.part("engine_setup.engine_check"), setup.record.Check
    faults = [""]

    def check(python: Any, log: Any, start: float = 0.0) -> Any:
        code = "import small; print(small.x)"
        yield from setup.part("engine_setup.commands").run(
            [str(python.path), "-I", "-c", code],
            setup.places.folder(),
            log,
            setup.part("jobs").Progress(start),
        )
        return kind("CPU (2 threads)", 20.5, "2.13.0+cpu", faults[0], "", time.time())

    monkeypatch.setattr(module, "check", check)
    return faults


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks the engine's packages")
def test_slow_and_broken_off_and_then_it_really_trains(setup: Setup) -> None:
    assert setup.status.look().kind is setup.status.Kind.MISSING
    big = setup.wheels["numpy"].name
    setup.server.cut = {big: 3, setup.wheels["torch"].name: 1}
    setup.install()
    found = setup.status.look()
    assert found.kind is setup.status.Kind.READY and found.is_own
    assert "steps a second on CPU" in found.text
    environment = setup.part("engine_process.environment")
    assert environment.is_installed()
    assert environment.find().path == setup.places.environment_python()
    # Each new connection went on behind the last byte.
    starts = setup.server.ranges[big]
    assert starts == sorted(set(starts)) and len(starts) == 4 and starts[1] > BIG // 4
    assert not (setup.places.folder() / "downloads").exists()
    assert str(bpy.app.version[0]) not in setup.places.usual_folder().name


def test_wrong_bytes_are_refused_and_named(setup: Setup, quick_check: list[str]) -> None:
    setup.server.spoilt = {setup.wheels["av"].name}
    sentence = setup.fails("av-18.1.* arrived damaged")
    assert "127.0.0.1" in sentence and "press Install Engine again" in sentence
    assert not setup.part("engine_process.environment").is_installed()
    setup.server.spoilt = set()
    setup.install()
    assert setup.status.failure() == ""
    assert setup.part("engine_process.environment").is_installed()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (407, "proxy of this network asks for a name and a password.*HTTPS_PROXY.*wheels"),
        (403, "refuses the download .*Ask your IT"),
        (503, "has a fault at the moment.*later"),
    ],
)
def test_refusals_of_servers(setup: Setup, status: int, told: str) -> None:
    setup.server.status = status
    setup.fails(told)


def test_a_proxy_that_asks_for_a_password_before_https(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", setup.server.address)
    monkeypatch.setenv("no_proxy", "")
    setup.part("engine_process.environment").preferences().package_index = "https://pypi.test/x"
    setup.server.status = 407
    setup.fails("proxy of this network asks for a name")


def test_nobody_answers(setup: Setup) -> None:
    setup.server.close()
    setup.fails("127.0.0.1 refused the connection")


def test_a_certificate_that_is_not_trusted(setup: Setup, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    import http.server
    import ssl
    import threading

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"https://127.0.0.1:{server.server_port}/simple"
    setup.part("engine_process.environment").preferences().package_index = address
    setup.fails("certificate of 127.0.0.1 is not trusted here.*SSL_CERT_FILE")
    server.shutdown()


def test_stopped_and_gone_on_with(setup: Setup, quick_check: list[str]) -> None:
    setup.server.slow = 4_000_000
    installation = setup.part("engine_setup.installation")
    job = installation.install(installation.Wish(setup.name, str(ENGINE)))
    shown = []
    big = setup.wheels["numpy"].name
    part_file = setup.places.folder() / "downloads" / f"{big}.part"
    end = time.monotonic() + 20
    while not (part_file.exists() and part_file.stat().st_size > BIG // 20):
        assert time.monotonic() < end
        shown.append(next(job))
        time.sleep(0.02)
    job.close()
    assert any(" MB of " in progress.text for progress in shown)
    left = part_file.stat().st_size
    found = setup.status.look()
    assert found.kind is setup.status.Kind.UNFINISHED and setup.status.bytes_there() >= left
    setup.server.slow = 0
    setup.install()
    assert setup.server.ranges[big][-1] >= left > 0


_KILLED = """
import json, os, sys
os.environ["BLENDER_USER_RESOURCES"] = sys.argv[1]
import bpy
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[2], repo="user_default", enable_on_install=True
)
bpy.context.preferences.system.use_online_access = True
from pathlib import Path
from bl_ext.user_default.paintover.engine_setup import builds, installation
from bl_ext.user_default.paintover.engine_process import environment
builds.LOCKS = Path(sys.argv[3])
environment.preferences().package_index = sys.argv[4] + "/simple"
environment.preferences().torch_index = sys.argv[4] + "/whl"
bpy.ops.paintover.engine_install(build=sys.argv[5], python=sys.argv[6])
"""


def test_a_killed_blender_leaves_what_it_downloaded(
    setup: Setup, quick_check: list[str], archive: Path
) -> None:
    setup.server.slow = 2_000_000
    home = os.environ["BLENDER_USER_RESOURCES"]
    words = [home, archive, setup.locks, setup.server.address, setup.name, ENGINE]
    with subprocess.Popen([sys.executable, "-c", _KILLED, *map(str, words)]) as blender:
        part_file = setup.places.folder() / "downloads" / f"{setup.wheels['numpy'].name}.part"
        end = time.monotonic() + 60
        while not (part_file.exists() and part_file.stat().st_size > BIG // 20):
            assert time.monotonic() < end and blender.poll() is None
            time.sleep(0.02)
        # While it installs, no other Blender does.
        with pytest.raises(RuntimeError, match="Another Blender is installing the engine"):
            setup.install()
        blender.send_signal(signal.SIGKILL)
    left = part_file.stat().st_size
    setup.server.slow = 0
    setup.install()
    assert setup.server.ranges[setup.wheels["numpy"].name][-1] >= left > 0
    assert setup.part("engine_process.environment").is_installed()


def test_a_package_that_was_unpacked_in_part_is_unpacked_again(
    setup: Setup, quick_check: list[str]
) -> None:
    setup.install()
    site = setup.places.site_packages()
    # A killed uv leaves the list of a package's files, but not all of them.
    (site / "small.py").unlink()
    (setup.places.folder() / setup.record.RECORD).unlink()
    assert not setup.part("engine_process.environment").is_installed()
    setup.install()
    assert (site / "small.py").read_text() == "x = 1\n"
    assert setup.status.look().kind is setup.status.Kind.READY


def test_no_build_for_the_card_in_the_index(setup: Setup) -> None:
    name = f"{setup.builds.this_platform()}-cu126"
    _write_requirements(setup)
    sentence = setup.fails("has no PyTorch 2.13.0 for NVIDIA", build=name)
    assert "processor" in sentence


def test_a_build_without_lock_is_put_together_here(
    setup: Setup, quick_check: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_requirements(setup)
    setup.server.add(write_wheel(setup.folder, "torch", "2.13.0+cu126", {"torch_gpu.py": ""}))
    quick_check[0] = "no kernel image is available for execution on the device"
    setup.install(build=f"{setup.builds.this_platform()}-cu126")
    found = setup.status.look()
    assert found.kind is setup.status.Kind.NO_GPU
    assert "no kernel image" in found.text and "processor" in found.text
    assert setup.record.installed().pins["torch"] == "2.13.0+cu126"
    # The build for the processor is offered, and replaces it.
    cards = setup.part("engine_setup.graphics_cards")
    (other,) = cards.alternatives(found.build)
    assert other.name == setup.name
    quick_check[0] = ""
    setup.install(build=other.name)
    assert setup.status.look().kind is setup.status.Kind.READY
    assert setup.record.installed().pins["torch"] == "2.13.0+cpu"


def _write_requirements(setup: Setup) -> None:
    path = setup.folder / "requirements.txt"
    path.write_text("numpy==1.0\ntorch==2.13.0\nav==18.1\n")
    setup.record.REQUIREMENTS = path


def test_repair_update_move_and_remove(
    setup: Setup, quick_check: list[str], tmp_path: Path
) -> None:
    setup.install()
    environment = setup.part("engine_process.environment")
    asked = {name: len(starts) for name, starts in setup.server.ranges.items()}

    # Repair fetches only the package that is damaged.
    site = setup.places.site_packages()
    (site / "small.py").write_text("x = 2\n")
    bpy.ops.paintover.engine_repair()
    assert (site / "small.py").read_text() == "x = 1\n"
    again = {n for n, starts in setup.server.ranges.items() if len(starts) > asked[n]}
    assert again == {setup.wheels["av"].name}

    # So does an update of the add-on.
    setup.put("av", "18.2", {"small.py": "x = 3\n"})
    setup.lock()
    assert not environment.is_installed()
    assert setup.status.look().kind is setup.status.Kind.OUTDATED
    asked = {name: len(starts) for name, starts in setup.server.ranges.items()}
    setup.install()
    again = {n for n, starts in setup.server.ranges.items() if len(starts) > asked.get(n, 0)}
    assert again == {setup.wheels["av"].name}

    # Moved to another disk it works, for all versions of Blender, and nothing is left behind.
    before, target = setup.places.folder(), tmp_path / "other disk ü" / "engine"
    bpy.ops.paintover.engine_move(directory=str(target))
    assert setup.places.folder() == target
    assert environment.is_installed() and target in environment.find().path.parents
    done = subprocess.run([environment.find().path, "-I", "-c", "import small"], check=False)
    assert done.returncode == 0
    assert [path.name for path in before.iterdir()] == ["location.json"]
    mine = target / "mine.txt"
    mine.write_text("not the engine's")
    with pytest.raises(RuntimeError, match="is not empty"):
        full = tmp_path / "full"
        full.mkdir()
        (full / "file").touch()
        bpy.ops.paintover.engine_move(directory=str(full))

    # Remove takes what older versions left too, and nothing else.
    older = Path(bpy.utils.extension_path_user(MODULE, path="engine", create=True)) / "env"
    older.mkdir()
    bpy.ops.paintover.engine_remove()
    assert not environment.is_installed() and not older.exists()
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    assert setup.places.folder() == setup.places.usual_folder()


def test_without_a_network_from_a_folder_of_wheels(
    setup: Setup, quick_check: list[str], tmp_path: Path
) -> None:
    from bl_ext.user_default.paintover import command

    wheels = tmp_path / "my wheels"
    words = ["wheels", str(wheels), "--build", setup.name, "--python", "3.12"]
    assert command.main(words) == 0
    assert {path.name for path in wheels.iterdir()} == {setup.uv["file"]} | {
        path.name for path in setup.wheels.values()
    }
    bpy.context.preferences.system.use_online_access = False
    missing = setup.wheels["av"]
    (wheels / missing.name).rename(tmp_path / "aside")
    sentence = setup.fails("my wheels lacks av-18.1", wheels_folder=str(wheels))
    assert "--command paintover wheels" in sentence
    (tmp_path / "aside").rename(wheels / missing.name)
    setup.server.close()
    setup.install(wheels_folder=str(wheels))
    assert setup.part("engine_process.environment").is_installed()


def test_online_access_off_is_heeded(setup: Setup) -> None:
    bpy.context.preferences.system.use_online_access = False
    setup.fails("allow online access in Preferences")
    assert setup.server.ranges == {}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("size=10m", "needs about .* free some space, or choose a folder on another disk"),
        ("ro", "cannot be written; choose another folder for the engine with Move"),
    ],
)
def test_small_and_read_only_disks(setup: Setup, tmp_path: Path, options: str, told: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        setup.places.choose(disk / "engine" if options != "ro" else disk)
        setup.fails(told)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount")
def test_a_disk_that_runs_full_keeps_what_is_there(
    setup: Setup, quick_check: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        setup.places.choose(disk)
        installation = setup.part("engine_setup.installation")
        monkeypatch.setattr(installation._Installation, "_check_space", lambda *_: None)
        setup.fails("disk of .* is full; free some space")
        assert setup.status.look().kind is setup.status.Kind.UNFINISHED
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_check_mark_only_after_a_check(setup: Setup) -> None:
    kind = setup.status.Kind
    setup.part("engine_process.environment").preferences().engine_python = "/bin/ls"
    assert setup.status.look().kind is kind.UNCHECKED
    with pytest.raises(RuntimeError, match=r"/bin/ls cannot run the engine .*another Python"):
        bpy.ops.paintover.engine_check()
    assert setup.status.look().kind is kind.UNCHECKED
    assert "/bin/ls" in setup.status.failure()


def test_use_this_python_checks_it_first(setup: Setup, quick_check: list[str]) -> None:
    setup.install()
    python = setup.places.environment_python()
    other = python.with_name("python-of-mine")
    other.symlink_to(python.name)
    preferences = setup.part("engine_process.environment").preferences()
    with pytest.raises(RuntimeError, match="There is no Python"):
        bpy.ops.paintover.engine_check(python=str(python.with_name("none")))
    assert preferences.engine_python == ""
    bpy.ops.paintover.engine_check(python=str(other))
    assert preferences.engine_python == str(other)
    found = setup.status.look()
    assert found.kind is setup.status.Kind.READY and not found.is_own


def test_a_python_of_another_version_is_refused(setup: Setup, tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\necho 3.8\n")
    old.chmod(0o755)
    setup.fails(r"is Python 3\.8, but the engine needs 3\.11", python=str(old))


def test_diagnostics_have_no_names(setup: Setup, quick_check: list[str]) -> None:
    setup.install()
    bpy.ops.paintover.engine_diagnostics()
    text = setup.part("engine_setup.diagnostics").text()
    assert "Engine ready" in text and "torch 2.13.0+cpu" in text
    assert "Last lines of install.log" in text and "venv" in text
    for secret in (str(Path.home()), "a home é", str(USER_FOLDER), os.environ["HOME"]):
        assert secret not in text
    scrubbed = setup.part("engine_setup.diagnostics").scrubbed
    assert "secret" not in scrubbed("see /mnt/secret/job/frame.png")
    assert scrubbed(r"C:\Users\Anna Smith\paint\a.png is bad") == "…/a.png is bad"
    assert scrubbed("https://name:pass@proxy.test/x").startswith("https://proxy.test")


def test_a_blender_with_another_python_keeps_the_shared_engine(
    setup: Setup, quick_check: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.install()
    python = setup.record.installed().python
    other = next(version for version in setup.builds.PYTHONS if version != python)
    plan = setup.part("engine_setup.plan")
    monkeypatch.setattr(plan, "base_python", lambda: plan.Base(other, "/none"))
    assert setup.part("engine_process.environment").is_installed()
    asked = sum(map(len, setup.server.ranges.values()))
    bpy.ops.paintover.engine_repair()
    assert setup.record.installed().python == python
    assert sum(map(len, setup.server.ranges.values())) == asked
