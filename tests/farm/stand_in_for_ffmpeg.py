# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for ffmpeg: encodes a list of pictures, or those of a pattern, by PyAV."""

from __future__ import annotations

import glob
import re
import sys
from pathlib import Path

import av


def main(words: list[str]) -> None:
    """Run ffmpeg's arguments that the jobs use."""
    source, fps, target = words[words.index("-i") + 1], words[words.index("-r") + 1], words[-1]
    if "glob" in words:
        paths = sorted(glob.glob(source))  # noqa: PTH207  (folders may have patterns in them)
    else:
        text = Path(source).read_text(encoding="utf-8")
        paths = re.findall(r"^file '(.*)'$", text, re.MULTILINE)
    with av.open(target, "w") as movie:
        stream = movie.add_stream("libx264", rate=round(float(fps)))
        stream.pix_fmt = "yuv420p"
        for path in paths:
            with av.open(path) as picture:
                frame = next(picture.decode(video=0))
            if not stream.codec_context.is_open:
                stream.width, stream.height = frame.width // 2 * 2, frame.height // 2 * 2
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"))))
        movie.mux(stream.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
