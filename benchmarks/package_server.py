# SPDX-License-Identifier: GPL-3.0-or-later
"""A package index on this machine that can be slow, break off, lie, or ask for a password."""

from __future__ import annotations

import base64
import collections
import hashlib
import http.server
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any


class PackageServer:
    """Serves wheels as PyPI does (``/simple``, JSON) and as PyTorch does (``/whl``, HTML).

    Attributes:
        files: the wheels by name.
        slow: bytes a second of each connection; 0: as fast as it goes.
        cut: how often each file still breaks off after half of what was asked for.
        spoilt: names of files that arrive with wrong bytes.
        status: answered to everything, if it is not 0.
        ranges: of each file, the first byte that each request asked for.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.slow = 0
        self.cut: dict[str, int] = {}
        self.spoilt: set[str] = set()
        self.status = 0
        self.ranges: dict[str, list[int]] = collections.defaultdict(list)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def add(self, path: Path) -> dict[str, Any]:
        """Serve a wheel; returns its entry in the list of wheels."""
        data = path.read_bytes()
        self.files[path.name] = data
        return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    def of_package(self, name: str) -> list[str]:
        """Return the wheels of a package."""
        plain = name.replace("-", "_").lower()
        return [file for file in self.files if file.split("-")[0].lower() == plain]

    def page(self, name: str, *, is_html: bool) -> bytes:
        """Return the index page of a package."""
        digests = {
            file: hashlib.sha256(self.files[file]).hexdigest() for file in self.of_package(name)
        }
        if is_html:
            links = [
                f'<a href="/files/{file.replace("+", "%2B")}#sha256={digest}">{file}</a><br>'
                for file, digest in digests.items()
                if "+" in file
            ]
            return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
        files = [
            {
                "filename": file,
                "url": f"/files/{file}",
                "hashes": {"sha256": digest},
                "size": len(self.files[file]),
            }
            for file, digest in digests.items()
            if "+" not in file
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files}).encode()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_CONNECT(self) -> None:
                self.send_error(owner.status or 405)

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                parts = self.path.replace("%2B", "+").strip("/").split("/")
                if owner.status:
                    self.send_error(owner.status)
                elif parts[0] == "files":
                    owner._send(self, parts[-1])
                else:
                    owner._send_page(self, parts)

        return Handler

    def _send_page(self, request: Any, parts: list[str]) -> None:
        is_html = parts[0] == "whl"
        data = self.page(parts[-1], is_html=is_html)
        if not self.of_package(parts[-1]):
            request.send_error(404)
            return
        kind = "text/html" if is_html else "application/vnd.pypi.simple.v1+json"
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(data)

    def _send(self, request: Any, name: str) -> None:
        data = self.files[name]
        if name in self.spoilt:
            data = bytes([data[0] ^ 1]) + data[1:]
        wanted = request.headers.get("Range", "bytes=0-").removeprefix("bytes=")
        first, _, last = wanted.partition("-")
        start, end = int(first or 0), int(last) + 1 if last else len(data)
        self.ranges[name].append(start)
        request.send_response(206 if "Range" in request.headers else 200)
        request.send_header("Accept-Ranges", "bytes")
        if "Range" in request.headers:
            request.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        request.send_header("Content-Length", str(end - start))
        request.end_headers()
        if request.command == "HEAD":
            return
        if self.cut.get(name, 0) > 0:
            self.cut[name] -= 1
            end = (start + end) // 2
        block = max(1, self.slow // 20) if self.slow else 1 << 20
        try:
            for at in range(start, end, block):
                request.wfile.write(data[at : min(at + block, end)])
                if self.slow:
                    time.sleep(0.05)
        except OSError:
            pass  # the other side has gone
        request.close_connection = True


def write_wheel(
    folder: Path, name: str, version: str, files: dict[str, str], tag: str = "py3-none-any"
) -> Path:
    """Write a wheel with these files; returns its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = [f"{path},{_recorded(text)}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    path = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in contents.items():
            wheel.writestr(zipfile.ZipInfo(inner, (2026, 1, 1, 0, 0, 0)), text)
    return path


def _recorded(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"sha256={digest.rstrip('=')},{len(text.encode())}"
