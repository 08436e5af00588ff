"""JSON sidecars: what a protected scan may say about itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from faceblind.errors import ScanError
from faceblind.formats.names import without_ending
from faceblind.store import write_json

# Physics of the measurement. All else (names, dates, places, identifiers, free text) stays behind,
# and so do absorption rate and transmitter reference, which follow from a person's weight and size.
_KEPT = {
    "AcquisitionMatrixPE", "BandwidthPerPixelPhaseEncode", "BaseResolution", "BodyPart",
    "BodyPartExamined", "ContrastBolusIngredient", "DwellTime", "EchoNumber", "EchoTime",
    "EchoTime1", "EchoTime2", "EchoTrainLength", "EffectiveEchoSpacing", "FatSaturation",
    "FlipAngle", "ImageOrientationPatientDICOM", "ImagingFrequency",
    "InPlanePhaseEncodingDirectionDICOM", "InversionTime", "MagneticFieldStrength",
    "Manufacturer", "ManufacturersModelName", "Modality", "MRAcquisitionType", "MTState",
    "MultibandAccelerationFactor", "NonlinearGradientCorrection", "NumberOfAverages",
    "ParallelAcquisitionTechnique", "ParallelReductionFactorInPlane", "PartialFourier",
    "PatientPosition", "PercentPhaseFOV", "PercentSampling", "PhaseEncodingDirection",
    "PhaseEncodingSteps", "PixelBandwidth", "PulseSequenceType", "ReceiveCoilActiveElements",
    "ReceiveCoilName", "ReconMatrixPE", "RepetitionTime", "RepetitionTimeExcitation",
    "RepetitionTimePreparation", "ScanningSequence", "ScanOptions", "SequenceVariant",
    "SliceThickness", "SliceTiming", "SpacingBetweenSlices", "SpoilingState", "TotalReadoutTime",
    "Units", "XRayExposure", "KVP",
}  # fmt: skip
_LONGEST_WORD = 64
_LANDMARKS = "AnatomicalLandmarkCoordinates"
_PROTECTED = re.compile(r"defac|refac|face|skull.?strip|113102|visual feature", re.IGNORECASE)
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


def read_sidecar(scan: str | Path) -> dict[str, Any]:
    """The sidecar of a scan; empty if it has none.

    Raises
    ------
    ScanError
        If the file is no JSON object.
    """
    path = sidecar_path(scan)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ScanError(f"{path}: not readable JSON; repair or remove it") from error
    if not isinstance(content, dict):
        raise ScanError(f"{path}: expected a JSON object; repair or remove it")
    return content


def says_protected(content: dict[str, Any]) -> bool:
    """Whether a sidecar says that the face was taken out (BIDS 1.11, DICOM CID 7050)."""
    said = [
        content.get("DeidentificationMethod"),
        content.get("DeidentificationMethodCodeSequence"),
    ]
    return bool(_PROTECTED.search(json.dumps([entry for entry in said if entry])))


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
    content = {key: value for key, value in source.items() if key in _KEPT and _is_short(value)}
    content["DeidentificationMethod"] = [method]
    content["DeidentificationMethodCodeSequence"] = [_CODE]
    if fiducials is not None:
        known = source.get(_LANDMARKS)
        content[_LANDMARKS] = fiducials | _three(known if isinstance(known, dict) else {})
    path = sidecar_path(scan)
    write_json(path, content)
    return path


def _is_short(value: Any) -> bool:
    """Numbers, codes and lists of them; a long text or a nested object could say anything."""
    if isinstance(value, list):
        return all(_is_short(entry) and not isinstance(entry, list) for entry in value)
    if isinstance(value, str):
        return len(value) <= _LONGEST_WORD
    return value is None or isinstance(value, int | float)


def _three(known: dict[str, Any]) -> dict[str, Any]:
    """The three points of a sidecar that are numbers; anything else could be anything."""
    return {
        name: place
        for name in ("NAS", "LPA", "RPA")
        if isinstance(place := known.get(name), list)
        and len(place) == 3
        and all(isinstance(value, int | float) for value in place)
    }
