# SPDX-License-Identifier: GPL-3.0-or-later
"""Bills of materials of what a user gets, and whether any of it is known to be vulnerable.

    .venv/bin/python -m tools.audit

For each lock of the engine's packages a file ``dist/sbom/paintover-BUILD.cdx.json`` in the format
CycloneDX 1.6, validated: the extension's zip, and every package with its version, license and the
digests of its wheels. Then pip-audit asks for known vulnerabilities of all of these packages; where
its service cannot be asked, that is said, and nothing counts as audited. The tools live in an
environment of their own, ``.venv-audit``, from ``requirements/audit.txt``.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .side_environments import SideEnvironment, run

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements/locks"
BILLS = ROOT / "dist/sbom"
TOOLS = ROOT / "requirements/audit.txt"
_TOOLS = SideEnvironment(ROOT / ".venv-audit", TOOLS)
_PINNED = re.compile(r"^([\w.-]+)==([\w.]+)", re.M)
_LONGEST_AUDIT = 90
"""Seconds after which the service of known vulnerabilities counts as out of reach."""
_VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read())
    if wrong:
        sys.exit(f"{path}: {wrong}")
"""


def main() -> int:
    """Make the bills, then audit; 1 if a package is vulnerable."""
    zips = sorted(
        (ROOT / "dist").glob("paintover-[0-9.]*[0-9].zip"), key=lambda z: z.stat().st_mtime
    )
    if not zips:
        raise SystemExit("audit: there is no zip in dist; run make addon first.")
    _TOOLS.make()
    BILLS.mkdir(parents=True, exist_ok=True)
    licenses = _licenses()
    bills = []
    for lock in locks():
        bill = complete(bill_of(lock), licenses, zips[-1])
        bills.append(BILLS / f"paintover-{lock.stem}.cdx.json")
        bills[-1].write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
        print(f"{bills[-1].relative_to(ROOT)}: {len(bill['components'])} components")
    run([_TOOLS.program("python"), "-c", _VALIDATE, *map(str, bills)])
    words, is_vulnerable = told(_audit(packages(locks())))
    print(words)
    return int(is_vulnerable)


def locks() -> list[Path]:
    """Return the locks of the engine's builds."""
    return sorted(LOCKS.glob("*-*-*.txt"))


def packages(files: list[Path]) -> list[str]:
    """Return every package of some locks, ``NAME==VERSION``, without marks of a build."""
    found = {
        f"{name}=={version}"
        for file in files
        for name, version in _PINNED.findall(file.read_text(encoding="utf-8"))
    }
    return sorted(found)


def bill_of(lock: Path) -> dict[str, Any]:
    """Return the bill of the packages in a lock, and of uv, which installs them."""
    both = lock.read_text(encoding="utf-8") + (LOCKS / "uv.txt").read_text(encoding="utf-8")
    words = [
        _TOOLS.program("cyclonedx-py"),
        "requirements",
        "-",
        "--pyproject",
        str(ROOT / "pyproject.toml"),
    ]
    words += ["--spec-version", "1.6", "--output-reproducible"]
    bill: dict[str, Any] = json.loads(run(words, both))
    return bill


def complete(
    bill: dict[str, Any], licenses: dict[str, list[Any]], zip_file: Path
) -> dict[str, Any]:
    """Add the zip's digest, licenses, and digests where cyclonedx-py has them at links alone.

    Args:
        bill: a bill as cyclonedx-py makes it; it is changed.
        licenses: ``plain`` name of a package → licenses, as in a bill.
        zip_file: the extension.
    """
    digest = hashlib.sha256(zip_file.read_bytes()).hexdigest()
    bill["metadata"]["component"]["hashes"] = [{"alg": "SHA-256", "content": digest}]
    for one in bill["components"]:
        digests = {
            digest["content"]
            for link in one.pop("externalReferences", [])
            for digest in link.get("hashes", [])
        }
        if not digests:
            raise SystemExit(f"audit: {one['name']} has no digest in its lock.")
        one["hashes"] = [{"alg": "SHA-256", "content": content} for content in sorted(digests)]
        one.pop("description", None)
        if plain(one["name"]) in licenses:
            one["licenses"] = licenses[plain(one["name"])]
    return bill


def told(report: dict[str, Any] | None) -> tuple[str, bool]:
    """Return what to say of an audit, and whether a package is vulnerable.

    Args:
        report: of pip-audit; None: it could not run.
    """
    found = report["dependencies"] if report else []
    asked = [one for one in found if "skip_reason" not in one]
    if not asked:
        return "NOT AUDITED: the service of known vulnerabilities cannot be asked from here.", False
    lines = [f"Audited {len(asked)} packages."]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if skipped:
        lines.append(f"NOT AUDITED, as the service does not know them: {', '.join(skipped)}.")
    wrong = [(one, known) for one in asked for known in one["vulns"]]
    for one, known in wrong:
        fixed = ", ".join(known.get("fix_versions", [])) or "no version yet"
        lines.append(f"{one['name']} {one['version']}: {known['id']}, fixed in {fixed}.")
    return "\n".join(lines), bool(wrong)


def _audit(wanted: list[str]) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "packages.txt"
        report = Path(folder) / "report.json"
        file.write_text("\n".join(wanted), encoding="utf-8")
        words = [
            _TOOLS.program("pip-audit"),
            "--requirement",
            str(file),
            "--no-deps",
            "--disable-pip",
        ]
        words += ["--format", "json", "--output", str(report), "--progress-spinner", "off"]
        try:
            subprocess.run(words, capture_output=True, timeout=_LONGEST_AUDIT, check=False)
            data: dict[str, Any] = json.loads(report.read_bytes())
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return None
        return data


def _licenses() -> dict[str, list[Any]]:
    """Return the licenses of what is installed here, by the name of the package."""
    words = [_TOOLS.program("cyclonedx-py"), "environment", sys.executable, "--spec-version", "1.6"]
    bill = json.loads(run(words))
    return {plain(one["name"]): one["licenses"] for one in bill["components"] if "licenses" in one}


def plain(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
