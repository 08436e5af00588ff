"""JSON sidecars: what a protected scan may say about itself."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from faceblind.errors import ScanError, missing
from faceblind.formats.names import without_ending
from faceblind.system.tables import write_json

# Physics of the measurement. All else (names, dates, places, identifiers, free text) stays behind,
# and so do absorption rate and transmitter reference, which follow from a person's weight and size.
_NUMBERS = {
    "AcquisitionMatrixPE", "BandwidthPerPixelPhaseEncode", "BaseResolution", "DwellTime",
    "EchoNumber", "EchoTime", "EchoTime1", "EchoTime2", "EchoTrainLength", "EffectiveEchoSpacing",
    "FlipAngle", "ImageOrientationPatientDICOM", "ImagingFrequency", "InversionTime", "KVP",
    "MagneticFieldStrength", "MultibandAccelerationFactor", "NumberOfAverages",
    "ParallelReductionFactorInPlane", "PercentPhaseFOV", "PercentSampling", "PhaseEncodingSteps",
    "PixelBandwidth", "ReconMatrixPE", "RepetitionTime", "RepetitionTimeExcitation",
    "RepetitionTimePreparation", "SliceThickness", "SliceTiming", "SpacingBetweenSlices",
    "TotalReadoutTime", "XRayExposure",
}  # fmt: skip
_CODES = {
    "BodyPartExamined", "FatSaturation", "InPlanePhaseEncodingDirectionDICOM", "Modality",
    "MRAcquisitionType", "MTState", "NonlinearGradientCorrection", "ParallelAcquisitionTechnique",
    "PartialFourier", "PatientPosition", "ScanningSequence", "ScanOptions", "SequenceVariant",
    "SpoilingState",
}  # fmt: skip
_PRODUCTS = {"Manufacturer", "ManufacturersModelName", "PulseSequenceType", "ReceiveCoilName"}
# DICOM's code strings (PS3.5, 6.2), several of them joined as converters do, but without spaces.
_CODE_STRING = re.compile(r"[A-Z0-9_]{1,16}(\\[A-Z0-9_]{1,16}){0,7}")
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:+/-]{0,39}")
_WORDING = {
    **dict.fromkeys(_CODES, _CODE_STRING),
    **dict.fromkeys(_PRODUCTS, _PRODUCT),
    "BodyPart": re.compile(r"[A-Za-z]{1,16}"),
    "ContrastBolusIngredient": re.compile("IODINE|GADOLINIUM|CARBON DIOXIDE|BARIUM|XENON"),
    "PhaseEncodingDirection": re.compile(r"[ijk]-?"),
    "ReceiveCoilActiveElements": re.compile(r"[A-Z0-9;:,-]{1,40}"),
    "Units": re.compile(r"[A-Za-z0-9/^-]{1,16}"),
}
# Several words that name a product hold one of these; those that name a person do not.
_TRADE = {
    "siemens", "healthineers", "ge", "healthcare", "medical", "imaging", "philips", "toshiba",
    "canon", "hitachi", "fujifilm", "bruker", "magnetom", "biograph", "signa", "discovery",
    "optima", "ingenia", "achieva", "intera", "gyroscan", "vantage", "gemini", "vereos", "prisma",
    "skyra", "vida", "avanto", "terra", "device", "head", "neck", "headneck", "brain", "body",
    "spine", "coil", "array", "matrix", "channel", "ch", "sense", "nova", "echo", "gradient",
    "spin", "recovery", "planar", "mprage", "spiral",
}  # fmt: skip
_DATE = re.compile(
    r"\d{5}|(?<!\d)(?:19|20)\d\d(?!\d)|\d[-/._ ]\d+[-/._ ]\d"
    r"|\d[-._ ]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"[A-Za-z0-9]+-[A-Za-z0-9+]+")
METHOD = "DeidentificationMethod"
"""Key that says in words what was done (BIDS 1.11)."""
LANDMARKS = "AnatomicalLandmarkCoordinates"
"""Key of points that are kept for EEG and MEG (BIDS)."""
_CODE = {
    "CodeValue": "113102",
    "CodeMeaning": "Clean Recognizable Visual Features Option",
    "CodingSchemeDesignator": "DCM",
    "CodingSchemeVersion": "01",
}


def sidecar_path(scan: str | Path) -> Path:
    """Where the sidecar of a scan lies."""
    path = Path(scan)
    stem = without_ending(path.name)
    return path.with_name(f"{stem if stem != path.name else path.stem}.json")


def read_sidecar(scan: str | Path, *, inherit: bool = True) -> dict[str, Any]:
    """What the sidecars of a scan say together; empty if it has none.

    In a BIDS dataset (a folder with a ``dataset_description.json``) files further up hold too, if
    they have the scan's suffix and no other entities than its own (BIDS 1.11, inheritance
    principle). The nearest says what counts.

    Parameters
    ----------
    scan : path
    inherit : bool
        Also read what lies further up; not for a file of our own making.

    Raises
    ------
    ScanError
        If one of the files is no JSON object.
    """
    own = sidecar_path(scan)
    content: dict[str, Any] = {}
    for path in applicable(own) if inherit else [own]:
        content |= _read(path)
    return content


def applicable(own: Path) -> list[Path]:
    """The sidecars that hold for a scan, the nearest last.

    Parameters
    ----------
    own : Path
        The scan's own sidecar, see `sidecar_path`; it need not exist.
    """
    ours = _entities_and_suffix(own.stem)
    folders = [own.parent, *Path(os.path.normpath(own.parent.absolute())).parents]
    root = [(folder / "dataset_description.json").is_file() for folder in folders]
    if ours is None or not any(root):
        return [own]
    found = []
    for folder in reversed(folders[: root.index(True) + 1]):
        level = {path: _entities_and_suffix(path.stem) for path in folder.glob("*.json")}
        hold = [
            (len(o[0]), p) for p, o in level.items() if o and o[0] <= ours[0] and o[1] == ours[1]
        ]
        found += [path for _, path in sorted(hold)]
    return [*(path for path in found if path != own), own]


def _entities_and_suffix(stem: str) -> tuple[set[str], str] | None:
    """The parts of a name, if it is one of BIDS."""
    *entities, suffix = stem.split("_")
    if not suffix.isalnum() or not all(map(_ENTITY.fullmatch, entities)):
        return None
    return set(entities), suffix


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        if path.is_symlink():
            raise missing(path) from error
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ScanError(f"{path}: not readable JSON; repair or remove it") from error
    if not isinstance(content, dict):
        raise ScanError(f"{path}: expected a JSON object; repair or remove it")
    return content


def says_protected(content: dict[str, Any]) -> bool:
    """Whether a sidecar says that the face was taken out (BIDS 1.11, DICOM CID 7050)."""
    said = [content.get(METHOD), content.get("DeidentificationMethodCodeSequence")]
    if said == [None, None]:
        return False
    # Its patterns take milliseconds to compile, and most sidecars say nothing.
    from faceblind.datasets.sidecar_claims import claims_protection

    return any(claims_protection(one) for one in said)


def write_sidecar(
    scan: str | Path,
    source: dict[str, Any],
    method: str,
    fiducials: dict[str, list[float]] | None = None,
) -> Path:
    """Write the sidecar of a protected scan.

    Parameters
    ----------
    scan : path
        The protected scan.
    source : dict
        The original's sidecar, of which measurement parameters are kept.
    method : str
        What was done, in words.
    fiducials : dict of str to list of float, optional
        Voxel indices of landmarks to be kept (BIDS ``AnatomicalLandmarkCoordinates``). Those of
        the original's sidecar, which somebody set, go before them.

    Returns
    -------
    Path
        Of the sidecar.
    """
    content = {key: value for key, value in source.items() if _is_physics(key, value)}
    content[METHOD] = [method]
    content["DeidentificationMethodCodeSequence"] = [_CODE]
    if fiducials is not None:
        known = source.get(LANDMARKS)
        content[LANDMARKS] = fiducials | _three(known if isinstance(known, dict) else {})
    path = sidecar_path(scan)
    write_json(path, content)
    return path


def _is_physics(key: str, value: Any) -> bool:
    """A known parameter as numbers or words that are usual there; all else could say anything."""
    if key not in _NUMBERS and key not in _WORDING:
        return False
    return all(
        _is_usual(key, entry) if isinstance(entry, str) else isinstance(entry, int | float | None)
        for entry in (value if isinstance(value, list) else [value])
    )


def _is_usual(key: str, text: str) -> bool:
    if key not in _WORDING or not _WORDING[key].fullmatch(text) or _DATE.search(text):
        return False
    words = {word.lower() for word in re.findall(r"[A-Za-z]{2,}", text)}
    return key not in _PRODUCTS or len(words) < 2 or bool(words & _TRADE)


def _three(known: dict[str, Any]) -> dict[str, Any]:
    """The three points of a sidecar that are numbers; anything else could be anything."""
    return {
        name: place
        for name in ("NAS", "LPA", "RPA")
        if isinstance(place := known.get(name), list)
        and len(place) == 3
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in place)
        and all(abs(n) < math.inf for n in place)
    }
