# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed, by name: each reader with its seeds, and where the JSON in its inputs is."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from engine.images.movie_bounds import check_movie
from engine.jobs.import_note import NOTE_NAME
from engine.shared import protocol
from engine.shared.trainings.record import TrainingRecord

from . import fuzz_readers as readers
from .fuzz_readers import STYLE
from .fuzz_target import Target, tries_file, tries_text
from .packing import resume_json, style_json, with_resume_json, with_style_json


def _plain(data: bytes) -> str:
    return data.decode()


def _whole(_: bytes, text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _line(data: bytes) -> str:
    return data.split(b"\n")[1].decode()


def _with_line(data: bytes, text: str) -> bytes:
    return data.split(b"\n")[0] + b"\n" + _whole(data, text) + b"\n"


_JSON: dict[str, Any] = {"unpack": _plain, "pack": _whole}
_STYLE: dict[str, Any] = {"unpack": style_json, "pack": with_style_json}
_RESUME: dict[str, Any] = {"unpack": resume_json, "pack": with_resume_json}
_EVENTS = (
    protocol.encode(protocol.Ready(0, "CPU", "0.1")),
    protocol.encode(protocol.Progress(1, "train", 0.5, 3.0, "Step 1")),
    protocol.encode(protocol.Done(1, {"frames": 3})),
    protocol.encode(protocol.Failed(1, "It is damaged; train again.", "detail")),
)
_TRAININGS = (
    json.dumps(
        dataclasses.asdict(
            TrainingRecord(
                *(1.8e9, "finished", "fast", {1: "a"}, "b"),
                held_out=0.1,
                steps=40,
                seconds=9.5,
                curve=[[float(n), 2.0 * n, 1.0, 0.5 / n] for n in range(1, 6)],
                style="c",
            )
        )
    ),
)
_WORDS = (
    "stylize\nshot\n--frames\n1-3,7",
    "weights\nshot\n1=0.5\n3@7=1",
    "train\nshot\n--seconds\n5\n--keys\n-3--1",
    "import\nshot\n--input\na\n--guide\nb=c",
    "stylize\nshot\n--light\n0.5",
)
_NAMES = ("ink", "shot_0030.v2", "a-\u22123 (1)", "con.txt", "1920x1080", "x\nopenjd_env: A=b")
_ALL = (
    Target("manifest", tries_file("shot.json", readers.read_shot), **_JSON, share=0.1),
    Target(
        "journal",
        tries_file("shot.journal", readers.read_journal),
        unpack=_line,
        pack=_with_line,
        share=0.1,
    ),
    Target(
        "style header",
        tries_file(f"styles/{STYLE}.safetensors", readers.read_header),
        8192,
        **_STYLE,
        share=0.03,
    ),
    Target(
        "record",
        tries_file(f"out/{STYLE}/made/0002.json", readers.read_out_record),
        **_JSON,
        share=0.2,
    ),
    Target(
        "flicker",
        tries_file(f"out/{STYLE}/made/0002.flicker.json", readers.read_flicker),
        **_JSON,
        share=0.2,
    ),
    Target(
        "training",
        tries_file(f"styles/{STYLE}/trainings/20260101-101010.json", readers.read_training),
        **_JSON,
        seeds=_TRAININGS,
        share=0.2,
    ),
    Target(
        "import note",
        tries_file(NOTE_NAME, readers.read_import_note),
        **_JSON,
        seeds=(json.dumps({"files": {"frames/0001.png": ["0" * 32], "keys/0001.png": []}}),),
        share=0.2,
    ),
    Target("claim", tries_file(f"styles/.{STYLE}.claim", readers.read_claim), **_JSON),
    Target("request", tries_text(readers.decode_request), **_JSON),
    Target("event", tries_text(readers.decode_event), **_JSON, seeds=_EVENTS),
    Target("frame list", tries_text(readers.parse_frame_list), 64, seeds=("1-30,45", "-3--1, 7")),
    Target("arguments", tries_text(readers.parse_arguments), 256, seeds=_WORDS, share=0.01),
    Target("name", tries_text(readers.check_any_name), 300, seeds=_NAMES, share=0.5),
    Target("farm lines", tries_text(readers.print_farm_lines), 300, seeds=_NAMES),
    Target("picture digest", tries_file("keys/0001.png", readers.read_digest), share=0.2),
    Target("picture colors", tries_file("keys/0001.png", readers.read_colours), share=0.5),
    Target("movie header", tries_file("movie.mp4", lambda _, path: check_movie(path)), share=0.2),
    Target(
        "style",
        tries_file(f"styles/{STYLE}.safetensors", readers.load_whole_style),
        1 << 17,
        **_STYLE,
        share=0.002,
        is_slow=True,
    ),
    Target(
        "resume state",
        tries_file(f"styles/{STYLE}/resume.safetensors", readers.load_resume),
        1 << 19,
        **_RESUME,
        share=0.001,
        is_slow=True,
    ),
    Target("drawn frame", readers.tries_drawn_frame, share=0.002, is_slow=True),
    Target(
        "painting", tries_file("keys/0001.png", readers.read_painting), share=0.002, is_slow=True
    ),
)
TARGETS = {target.name: target for target in _ALL}
"""What is fuzzed, by name."""
