# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual as plain pages of HTML, which the extension carries: F1 opens them without a network.

The site with search is MkDocs' (``tools/manual.py``), which needs packages of its own. Building the
extension needs none, so these pages are made here, from the few kinds of Markdown that ``docs/``
uses: headings, paragraphs, lists, tables, code, bold and slanted text, links and pictures.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

_STYLE = (
    "body{font:17px/1.55 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}"
    "img{max-width:100%}table{border-collapse:collapse}"
    "td,th{border:1px solid #8886;padding:.3em .6em;text-align:left;vertical-align:top}"
    "pre,code{background:#8882}pre{padding:.8em;overflow:auto}"
    "@media(prefers-color-scheme:dark){body{background:#1d1d1d;color:#ddd}a{color:#8bf}}"
)
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|!\[(?P<alt>[^\]]*)\]\((?P<picture>[^)]+)\)"
    r"|\*\*\[(?P<bold_link>[^\]]*)\]\((?P<bold_to>[^)]+)\)\*\*"
    r"|\[(?P<link>(?:[^\]`]|`[^`]*`)*)\]\((?P<to>[^)]+)\)"
    r"|\*\*(?P<bold>.+?)\*\*|\*(?P<slanted>[^*]+)\*"
)
_LIST = re.compile(r"(?P<mark>-|\d+\.) (?P<text>.*)")
_HEADING = re.compile(r"(?P<marks>#+) (?P<text>.*)")


def write(docs: Path, folder: Path) -> None:
    """Write each page of a folder of Markdown as a page of HTML, and copy the pictures.

    Args:
        docs: has ``NAME.md`` and ``pictures/``.
        folder: gets ``NAME.html`` and ``pictures/``.
    """
    shutil.copytree(docs / "pictures", folder / "pictures")  # makes the folder, too
    for page in sorted(docs.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        (folder / f"{page.stem}.html").write_text(as_html(text), encoding="utf-8")


def as_html(markdown: str) -> str:
    """Return a page of Markdown as one of HTML; its first heading is the title."""
    title = next((line[2:] for line in markdown.splitlines() if line.startswith("# ")), "Paintover")
    body = "\n".join(_blocks(markdown.splitlines()))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)} – Paintover</title><style>{_STYLE}</style></head>\n"
        '<body><p><a href="index.html">Paintover</a> · <a href="manual.html">The panel</a> · '
        '<a href="trouble.html">If something goes wrong</a></p>\n'
        f"{body}\n</body></html>\n"
    )


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as MkDocs names it."""
    plain = re.sub(r"[^\w\s-]", "", heading).strip().lower()
    return re.sub(r"[-\s]+", "-", plain)


def _blocks(lines: list[str]) -> Iterator[str]:
    """Yield the blocks of a page as HTML."""
    at = 0
    while at < len(lines):
        line = lines[at]
        heading, item = _HEADING.match(line), _LIST.match(line)
        if line.startswith("```"):
            end = next(n for n in range(at + 1, len(lines)) if lines[n].startswith("```"))
            yield _code(lines[at + 1 : end])
            at = end + 1
        elif line.startswith("    "):
            end = _end(lines, at, lambda one: one.startswith("    "))
            yield _code([one[4:] for one in lines[at:end]])
            at = end
        elif heading:
            level, text = len(heading["marks"]), heading["text"]
            yield f'<h{level} id="{anchor(text)}">{_inline(text)}</h{level}>'
            at += 1
        elif line.startswith("|"):
            end = _end(lines, at, lambda one: one.startswith("|"))
            yield _table(lines[at:end])
            at = end
        elif item:
            end = _end(lines, at, lambda one: _LIST.match(one) is not None)
            kind = "ul" if item["mark"] == "-" else "ol"
            items = [_LIST.sub(r"\g<text>", one) for one in lines[at:end]]
            yield f"<{kind}>{''.join(f'<li>{_inline(one)}</li>' for one in items)}</{kind}>"
            at = end
        else:
            if line.strip():
                yield f"<p>{_inline(line)}</p>"
            at += 1


def _end(lines: list[str], at: int, belongs: Callable[[str], bool]) -> int:
    """Return where the lines of a kind end."""
    return next((n for n in range(at, len(lines)) if not belongs(lines[n])), len(lines))


def _code(lines: list[str]) -> str:
    text = "\n".join(lines)
    return f"<pre>{html.escape(text, quote=False)}</pre>"


def _table(lines: list[str]) -> str:
    rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in lines]
    cells = [[_inline(cell.strip().replace("\\|", "|")) for cell in row] for row in rows]
    head = "".join(f"<th>{cell}</th>" for cell in cells[0])
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells[2:])
    return f"<table><tr>{head}</tr>{body}</table>"


def _inline(text: str) -> str:
    """Return a line of Markdown as HTML."""
    done, at = [], 0
    for found in _INLINE.finditer(text):
        done.append(html.escape(text[at : found.start()], quote=False))
        done.append(_marked(found))
        at = found.end()
    return "".join([*done, html.escape(text[at:], quote=False)])


def _marked(found: re.Match[str]) -> str:
    if found["code"]:
        return f"<code>{html.escape(found['code'])}</code>"
    if found["picture"]:
        return f'<img src="{html.escape(found["picture"])}" alt="{html.escape(found["alt"])}">'
    if found["bold_to"]:
        return f"<b>{_link(found['bold_link'], found['bold_to'])}</b>"
    if found["to"]:
        return _link(found["link"], found["to"])
    if found["bold"]:
        return f"<b>{_inline(found['bold'])}</b>"
    return f"<i>{_inline(found['slanted'])}</i>"


def _link(text: str, target: str) -> str:
    if "://" not in target:
        target = re.sub(r"\.md(?=#|$)", ".html", target)
    return f'<a href="{html.escape(target)}">{_inline(text)}</a>'
