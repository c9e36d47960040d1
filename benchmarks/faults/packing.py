# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON inside files of styles and states, taken out and put back with digests that are right.

So what is changed in it is read, and not refused for its digest.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from engine.shared.checked import from_data, parse_json
from engine.shared.style_header import METADATA_KEY

_RESUME_KEY = "paintover_resume"


def _header(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the header of a safetensors file, and what follows it."""
    (size,) = struct.unpack_from("<Q", content)
    return from_data(dict[str, Any], parse_json(content[8 : 8 + size])), content[8 + size :]


def _with_header(header: dict[str, Any], rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def style_json(content: bytes) -> str:
    """Return the header of a style as an earlier Paintover wrote it, without digests."""
    data = json.loads(_header(content)[0]["__metadata__"][METADATA_KEY])
    return json.dumps({name: data[name] for name in data if name not in ("check", "weights")})


def with_style_json(content: bytes, text: str) -> bytes:
    """Return a style with another header."""
    header, rest = _header(content)
    return _with_header({**header, "__metadata__": {METADATA_KEY: text}}, rest)


def resume_json(content: bytes) -> str:
    """Return the numbers in a state of a training."""
    text: str = _header(content)[0]["__metadata__"][_RESUME_KEY]
    return text[32:]


def small_resume(content: bytes) -> bytes:
    """Return a state with its smallest tensors alone, which is quick to read up to them."""
    import safetensors.torch  # noqa: PLC0415 - PyTorch is loaded only where it is needed

    tensors = safetensors.torch.load(content)
    smallest = sorted(tensors, key=lambda name: tensors[name].numel())[:3]
    rest = safetensors.torch.save(
        {name: tensors[name] for name in smallest}, _header(content)[0]["__metadata__"]
    )
    return with_resume_json(rest, resume_json(content))


def with_resume_json(content: bytes, text: str) -> bytes:
    """Return a state with other numbers."""
    import safetensors.torch  # noqa: PLC0415 - PyTorch is loaded only where it is needed

    from engine.networks.tensor_files import digest_tensors  # noqa: PLC0415

    header, rest = _header(content)
    tensors = safetensors.torch.load(content)
    check = digest_tensors(tensors, text.encode("utf-8", "replace").decode())
    return _with_header({**header, "__metadata__": {_RESUME_KEY: check + text}}, rest)
