# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Engine against a package index of our own: slow, broken off, lying, behind a proxy."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import bpy
import pytest
from conftest import engine_runs
from setup_index import BIG, ENGINE, Setup, needs_uv

pytestmark = needs_uv


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
