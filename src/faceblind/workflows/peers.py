"""Other people's defacing tools, each an external program that reads a NIfTI file and writes one.

None of them is needed, shipped or downloaded. Programs and Python modules are looked for on the
search path, so that they may live in an environment of their own:
``PATH=/path/to/env/bin:$PATH``.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from faceblind.errors import FaceblindError
from faceblind.system.files import file_digest
from faceblind.system.measured import Measured, run_measured

TIMEOUT_S = 1200.0
"""The slowest tool that was measured, AFNI's, takes seven minutes for a head of 1 mm."""
UNKNOWN = "unknown"
_ASKING_S = 60.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_VERSION = re.compile(r"\bv?(\d+(?:\.\d+)+[\w.+-]*)")
_BLANKS = ("{source}", "{target}", "{brain}")


@dataclass(frozen=True)
class Peer:
    """A defacing tool that can be run here.

    Parameters
    ----------
    name : str
    command : tuple of str
        Program and arguments, with ``{source}``, ``{target}`` and, for tools that need a brain
        mask, ``{brain}`` where the paths belong.
    version : str
        Of the tool, or ``"unknown"``.
    digest : str
        SHA-256 over the files that the command names, so that two builds of one version differ.
    """

    name: str
    command: tuple[str, ...]
    version: str = UNKNOWN
    digest: str = ""

    @property
    def needs_brain(self) -> bool:
        """Whether it works on a given brain mask."""
        return any("{brain}" in word for word in self.command)

    def words(self, source: Path, target: Path, brain: Path | None) -> list[str]:
        """The command for one scan.

        Raises
        ------
        FaceblindError
            If a brain mask is needed and none is given.
        """
        if self.needs_brain and brain is None:
            raise FaceblindError(f"{self.name}: needs a brain mask")
        paths = (str(source), str(target), str(brain))
        filled = []
        for word in self.command:
            # In one pass: a path may hold braces itself.
            parts = re.split(f"({'|'.join(map(re.escape, _BLANKS))})", word)
            filled.append("".join(dict(zip(_BLANKS, paths, strict=True)).get(p, p) for p in parts))
        return filled

    def run(
        self, source: Path, target: Path, brain: Path | None = None, timeout_s: float = TIMEOUT_S
    ) -> Measured:
        """Protect one scan, and measure what it costs.

        Parameters
        ----------
        source, target : Path
            NIfTI files; the target must not exist.
        brain : Path, optional
            Brain mask.
        timeout_s : float

        Returns
        -------
        Measured
            Its `failure` says, too, that nothing was written.
        """
        done = run_measured(self.words(source, target, brain), timeout_s)
        if not done.failure and not (target.is_file() and target.stat().st_size):
            return Measured("wrote nothing", done.wall_s, done.cpu_s, done.peak_mb)
        return done


@dataclass(frozen=True)
class MissingPeer:
    """A tool that is not run.

    Parameters
    ----------
    name, why : str
    """

    name: str
    why: str


@lru_cache(maxsize=16)
def find_module(module: str, beside: str = "") -> tuple[str, Path] | None:
    """A Python that has a module, and the module's folder.

    Parameters
    ----------
    module : str
    beside : str
        A program whose own Python is asked first.

    Returns
    -------
    tuple of str and Path, or None
        The interpreter and the folder; None if no Python has it.
    """
    look = (
        "import importlib.util as u, sys; s = u.find_spec(sys.argv[1]);"
        "print((list(s.submodule_search_locations or []) or [s.origin])[0] if s else '')"
    )
    for python in _pythons(beside):
        if found := _ask([python, "-c", look, module]):
            return python, Path(found)
    return None


def find_peers(
    given: Sequence[str] = (),
) -> tuple[tuple[Peer, ...], tuple[MissingPeer, ...]]:
    """The tools that can be run here, and those that cannot.

    Parameters
    ----------
    given : sequence of str
        ``NAME=COMMAND`` of tools that the user adds, or that take the place of a known one.

    Raises
    ------
    FaceblindError
        If a `given` cannot be understood, or its program is not there.
    """
    added = {peer.name: peer for peer in map(parse_peer, given)}
    if len(added) < len(given):
        raise FaceblindError("--peer: two tools have the same name; give each a name of its own")
    found, missing = [], []
    for name, (find, install) in KNOWN.items():
        peer = None if name in added else find()
        if peer:
            found.append(peer)
        elif name not in added:
            missing.append(MissingPeer(name, install))
    return (*found, *added.values()), tuple(missing)


def parse_peer(text: str) -> Peer:
    """The tool of a ``NAME=COMMAND``, such as ``mine=mytool {source} {target}``.

    Raises
    ------
    FaceblindError
    """
    name, equals, line = text.partition("=")
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise FaceblindError(f"--peer {name}: {error}; check the quotes") from error
    if not equals or not _NAME.fullmatch(name) or name in OWN:
        raise FaceblindError(
            f"--peer: expected NAME=COMMAND with a name of letters, digits, '.', '_' and '-' that "
            f"is not one of {', '.join(OWN)}; got {text!r}"
        )
    blanks = [blank for blank in _BLANKS[:2] if not any(blank in word for word in words)]
    if blanks or not words:
        raise FaceblindError(f"--peer {name}: the command lacks {' and '.join(blanks)}; add it")
    program = shutil.which(words[0])
    if program is None:
        raise FaceblindError(f"--peer {name}: {words[0]}: no such program; check path and spelling")
    fixed = []
    for word in words:
        if any(blank in word for blank in _BLANKS):
            break
        fixed.append(word)
    version = _version_of([program, *fixed[1:], "--version"]) if fixed else UNKNOWN
    return Peer(name, (program, *words[1:]), version, _digest((program, *words[1:])))


OWN = ("intact", "deface", "reface")
"""Names of methods that no other tool may have."""


def _pydeface() -> Peer | None:
    program = shutil.which("pydeface")
    if program is None or shutil.which("flirt") is None:
        return None
    command = (program, "{source}", "--outfile", "{target}", "--force")
    return Peer("pydeface", command, _packaged("pydeface", program), _digest(command))


def _quickshear() -> Peer | None:
    program = shutil.which("quickshear")
    if program is None:
        return None
    command = (program, "{source}", "{brain}", "{target}")
    return Peer("quickshear", command, _packaged("quickshear", program), _digest(command))


def _niimath() -> Peer | None:
    """Call ``niimath -deface`` with pydeface's template and mask, which its wheel does not hold."""
    program = shutil.which("niimath")
    home = find_module("pydeface", program) if program else None
    if program is None or home is None or not (home[1] / "data").is_dir():
        return None
    template, mask = (str(home[1] / "data" / f"{n}.nii.gz") for n in ("mean_reg2mean", "facemask"))
    command = (program, "{source}", "-deface", template, mask, "{target}")
    return Peer("niimath", command, _version_of([program, "--version"]), _digest(command))


def _radveil() -> Peer | None:
    home = find_module("radveil")
    if home is None:
        return None
    code = (
        "import sys, radveil; volume = radveil.Volume(sys.argv[1]); "
        "volume.deface_auto(); volume.save(sys.argv[2])"
    )
    command = (home[0], "-c", code, "{source}", "{target}")
    return Peer("radveil", command, _packaged("radveil", "", home[0]), _digest(command))


def _deepdefacer() -> Peer | None:
    program = shutil.which("deepdefacer")
    if program is None:
        return None
    command = (program, "--input_file", "{source}", "--defaced_output_path", "{target}")
    return Peer("deepdefacer", command, _packaged("deepdefacer", program), _digest(command))


KNOWN: Mapping[str, tuple[Callable[[], Peer | None], str]] = {
    "pydeface": (_pydeface, "not installed; pip install pydeface, and FSL"),
    "quickshear": (_quickshear, "not installed; pip install quickshear"),
    "niimath": (_niimath, "not installed; pip install niimath, and pydeface for its template"),
    "radveil": (_radveil, "not installed; pip install radveil"),
    "deepdefacer": (_deepdefacer, "not installed; pip install deepdefacer"),
    "mede": (
        lambda: None,
        "works on folders; give --peer mede=COMMAND with a script that takes one file",
    ),
}
"""By name: how each tool is found, and what to do where it is not."""


def _packaged(package: str, program: str, python: str = "") -> str:
    """The version of an installed Python package, asked of the program's own Python."""
    ask = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    for each in (python,) if python else _pythons(program):
        if said := _ask([each, "-c", ask, package]):
            return said
    return UNKNOWN


def _pythons(beside: str) -> list[str]:
    """Interpreters: that of a program's first line, this one, and those on the search path."""
    found = [sys.executable, shutil.which("python3"), shutil.which("python")]
    if beside:
        try:
            with Path(beside).open("rb") as stream:
                first = stream.readline(500)
        except OSError:
            first = b""
        if first.startswith(b"#!") and b"python" in first:
            found.insert(0, first[2:].decode("utf-8", "replace").strip().split(" ")[0])
        found.insert(1, shutil.which("python3", path=str(Path(beside).parent)))
    return list(dict.fromkeys(one for one in found if one))


def _version_of(command: Sequence[str]) -> str:
    """The first number with a dot that a program says of itself."""
    said = _ask(command)
    match = _VERSION.search(said)
    return match[1] if match else UNKNOWN


def _ask(command: Sequence[str]) -> str:
    """What a program prints; empty where it fails."""
    try:
        # No shell; the programs are those that shall be run later.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, errors="replace", timeout=_ASKING_S,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _digest(command: Sequence[str]) -> str:
    """SHA-256 over the files that a command names, in their order."""
    files = [Path(word) for word in command if len(word) < 1000 and Path(word).is_file()]
    return hashlib.sha256("".join(map(file_digest, files)).encode()).hexdigest()
