"""Which files beside the scans of a folder may show a head, although nobody reads them.

A file counts as harmless only where its kind is known to hold no picture and its first bytes agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceblind.formats.names import HEADERS, UNREAD, is_text_name
from faceblind.formats.signatures import PEEK, content_of, is_pointer

# A Finder's folder settings; extended attributes of files (AppleDouble, RFC 1740). Larger ones may
# hold an icon that shows the image.
_DS_STORE = b"\x00\x00\x00\x01Bud1"
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_LARGEST_APPLE_DOUBLE = 4096
# Recordings of EEG hold no more than channels of numbers (EDF, BDF).
_RECORDINGS = {".edf": b"0       ", ".bdf": b"\xffBIOSEMI"}
# Longest ending first, so that .nii.zst is not taken for .zst.
_KNOWN = sorted({**UNREAD, **HEADERS}.items(), key=lambda entry: -len(entry[0]))


@dataclass(frozen=True)
class Unread:
    """A file that may show a head and is not read.

    Parameters
    ----------
    path : Path
    what : str
        What it is and why it is not read, in words.
    is_image : bool
        Whether it is or may hold a volume of a scanner, rather than a picture, mesh, document or
        something unknown.
    may_be_scan : bool
        Whether it would be protected, could it be read: an image beside the scans.
    """

    path: Path
    what: str
    is_image: bool = False
    may_be_scan: bool = False


def look_at(path: Path) -> Unread | None:
    """What a file that is no scan by its name may show; None where it is harmless.

    Parameters
    ----------
    path : Path
        A file, or a link to a missing one.
    """
    ending = next((known for known in _KNOWN if path.name.lower().endswith(known[0])), None)
    named = ending[1] if ending else ""
    counts = bool(named) and ending is not None and ending[0] in UNREAD
    try:
        with path.open("rb") as file:
            start = file.read(PEEK)
            size = file.seek(0, 2)
    except FileNotFoundError:
        if is_text_name(path):
            return None
        return Unread(path, f"{named or 'unknown'}, a link to a missing file: fetch it", counts)
    except OSError as error:
        return Unread(path, f"{named or 'unknown'}, cannot be read ({error.strerror})", counts)
    if not start:
        return Unread(path, f"{named}, and the file is empty", counts) if named else None
    found = content_of(start)
    if is_text_name(path):
        if found.is_text or is_pointer(start):
            return None
        what = f"named like text, but it is {found.what or 'none'}"
        return Unread(path, what, found.is_image)
    if _is_harmless(path, start, size):
        return None
    if found.what:
        return Unread(path, found.what, counts or (found.is_image and not ending))
    return Unread(path, named or "of an unknown kind", counts)


def describe(path: Path) -> str:
    """What a file is that is not read, in words; empty where that is not known."""
    found = look_at(path) if path.is_file() else None
    return found.what if found and found.what != "of an unknown kind" else ""


def _is_harmless(path: Path, start: bytes, size: int) -> bool:
    """Whether a file that is not text is of a kind that holds no picture."""
    if path.name == ".DS_Store":
        return start.startswith(_DS_STORE)
    if path.name.startswith("._"):
        return start.startswith(_APPLE_DOUBLE) and size <= _LARGEST_APPLE_DOUBLE
    if path.parts[-2:-1] == (".datalad",) and path.name == "config":
        return content_of(start).is_text
    magic = _RECORDINGS.get(path.suffix.lower())
    return magic is not None and start.startswith(magic)
