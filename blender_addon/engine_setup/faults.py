# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong with a download or a disk, in a sentence that says the way out."""

from __future__ import annotations

import errno
import socket
import ssl
import urllib.error

from ..engine.shared.errors import PaintoverError

OFFLINE_WAY = "or install from a folder of wheels"
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class LastingError(PaintoverError):
    """An error that is the same when tried again at once."""


def network_error(error: BaseException, host: str) -> PaintoverError:
    """Return the sentence for an error of the network; ``LastingError`` where no retry helps."""
    reason = getattr(error, "reason", error)
    if isinstance(error, urllib.error.HTTPError):
        return _http_error(error.code, host)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return untrusted(host, reason.verify_message)
    if "407" in str(reason):
        return _http_error(407, host)
    return PaintoverError(_broken(reason, host))


def untrusted(host: str, why: str) -> PaintoverError:
    """Return the sentence for a certificate that is not trusted; ``why`` may be ""."""
    told = f" ({why})" if why else ""
    return LastingError(
        f"The certificate of {host} is not trusted here{told}; often a virus scanner or a studio's "
        "proxy stands between. Ask your IT for its certificate file and start Blender with "
        f"SSL_CERT_FILE set to it, {OFFLINE_WAY}."
    )


def _broken(reason: object, host: str) -> str:
    """Return the sentence for a connection that did not come about, or broke."""
    again = "press Install Engine again, it goes on where it stopped"
    if isinstance(reason, socket.gaierror):
        return (
            f"{host} was not found: is this machine connected to the internet? Connect it and "
            f"press Install Engine again, {OFFLINE_WAY}."
        )
    if isinstance(reason, TimeoutError):
        return f"{host} did not answer in time; {again}."
    if isinstance(reason, ConnectionRefusedError):
        return (
            f"{host} refused the connection; check the network or proxy settings and press "
            f"Install Engine again, {OFFLINE_WAY}."
        )
    return f"The connection to {host} broke off; {again}."


def _http_error(code: int, host: str) -> PaintoverError:
    if code == 407:
        return LastingError(
            "The proxy of this network asks for a name and a password. Start Blender with "
            f"HTTPS_PROXY set to http://NAME:PASSWORD@PROXY:PORT, {OFFLINE_WAY}."
        )
    if code in (401, 403):
        return LastingError(
            f"{host} refuses the download (HTTP {code}): a proxy or firewall may forbid it. Ask "
            f"your IT to allow {host}, {OFFLINE_WAY}."
        )
    if code in (404, 410):
        return LastingError(
            f"{host} does not have this file (HTTP {code}); choose another build, or update the "
            "add-on."
        )
    return PaintoverError(
        f"{host} has a fault at the moment (HTTP {code}); press Install Engine again later, it "
        "goes on where it stopped."
    )


def disk_error(error: OSError, place: object) -> LastingError:
    """Return the sentence for an error of the disk."""
    if error.errno in _FULL:
        return LastingError(
            f"The disk of {place} is full; free some space, or choose a folder on another disk "
            "with Move, and press Install Engine again: it goes on where it stopped."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return LastingError(
            f"{place} cannot be written; choose another folder for the engine with Move."
        )
    return LastingError(
        f"{place} cannot be written ({error.strerror or error}); check the disk and press Install "
        "Engine again."
    )


def megabytes(count: float) -> str:
    """Return a number of bytes for people: ``84 MB``, ``2.9 GB``."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB"
