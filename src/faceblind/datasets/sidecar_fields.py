"""Fields that BIDS requires of some kinds of images, where their values can say nothing else.

Beside the parameters that every protected scan keeps (`faceblind.datasets.sidecar`): without them a
dataset of these kinds would not be valid any more.
"""

from __future__ import annotations

import re
from typing import Any

# MP2RAGE, arterial spin labelling, functional series, PET (BIDS 1.11).
_NUMBERS = {
    "NumberShots", "VolumeTiming", "DelayTime", "AcquisitionDuration",
    "NumberOfVolumesDiscardedByScanner", "PostLabelingDelay", "BackgroundSuppression",
    "BackgroundSuppressionNumberPulses", "BackgroundSuppressionPulseTime", "M0Estimate",
    "TotalAcquiredPairs", "LabelingDuration", "LabelingSlabThickness", "BolusCutOffFlag",
    "BolusCutOffDelayTime", "VascularCrushing", "VascularCrushingVENC", "InjectedRadioactivity",
    "InjectedMass", "SpecificRadioactivity", "MolarActivity", "ScanStart", "InjectionStart",
    "InjectionEnd", "FrameTimesStart", "FrameDuration", "ImageDecayCorrected",
    "ImageDecayCorrectionTime", "ReconMethodParameterValues", "ReconFilterSize",
    "InfusionRadioactivity", "InfusionStart", "InfusionSpeed", "InjectedVolume",
}  # fmt: skip
_UNIT = re.compile(r"[A-Za-z0-9/^*·-]{1,16}|n/a|none")
_WORDING = {
    "ArterialSpinLabelingType": re.compile("P?CASL|PASL"),
    "M0Type": re.compile("Separate|Included|Estimate|Absent"),
    "BolusCutOffTechnique": re.compile("QUIPSS|QUIPSS ?II|Q2TIPS"),
    "TaskName": re.compile(r"[A-Za-z0-9+]{1,24}"),
    "B0FieldIdentifier": re.compile(r"[A-Za-z0-9_.+-]{1,60}"),
    "B0FieldSource": re.compile(r"[A-Za-z0-9_.+-]{1,60}"),
    "IntendedFor": re.compile(r"(?:bids::)?(?:sub-[A-Za-z0-9+]+/)?(?:ses-[A-Za-z0-9+]+/)?"
                              r"[a-z]+/sub-[A-Za-z0-9+]+_[A-Za-z0-9+_-]+\.nii(?:\.gz)?"),
    "TracerName": re.compile(r"[A-Za-z0-9\[\](),.+'-]{1,32}"),
    "TracerRadionuclide": re.compile(r"[A-Z][a-z]?-?\d{1,3}m?|\d{1,3}m?-?[A-Z][a-z]?"),
    "ModeOfAdministration": re.compile("bolus|infusion|bolus-infusion"),
    "TimeZero": re.compile(r"\d\d:\d\d:\d\d"),
    **dict.fromkeys(
        ("InjectedRadioactivityUnits", "InjectedMassUnits", "SpecificRadioactivityUnits",
         "MolarActivityUnits", "InfusionSpeedUnits", "InjectedVolumeUnits",
         "ReconMethodParameterUnits"), _UNIT),
}  # fmt: skip
_IN_WORDS = {
    "AcquisitionMode", "AttenuationCorrection", "ReconFilterType", "ReconMethodName",
    "ReconMethodParameterLabels",
}  # fmt: skip
_WORDS = {
    "list", "mode", "frame", "static", "dynamic", "gated", "sinogram", "ct", "mr", "based",
    "none", "transmission", "scan", "cs", "ge", "ga", "measured", "calculated", "dixon", "ute",
    "atlas", "attenuation", "correction", "gaussian", "butterworth", "hanning", "hann", "hamming",
    "ramp", "shepp", "logan", "parzen", "median", "filter", "osem", "op", "psf", "tof", "fbp",
    "mlem", "ml", "em", "row", "action", "maximum", "likelihood", "ordinary", "poisson",
    "ordered", "subset", "subsets", "expectation", "maximization", "maximisation", "filtered",
    "back", "projection", "point", "spread", "function", "time", "of", "flight", "iterations",
    "iteration", "lower", "upper", "threshold", "zoom", "fwhm", "bsrem", "vue", "hd", "sharp",
    "ir", "dd", "map", "na", "and", "with",
}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9\[\](),.+ /_-]{1,60}")
_MANY_DIGITS = re.compile(r"\d{4}")


def required_fields(source: dict[str, Any]) -> dict[str, Any]:
    """Of an original's sidecar, the fields that its kind of image needs.

    Parameters
    ----------
    source : dict

    Returns
    -------
    dict
        Only numbers, codes, and words of the field.

    Examples
    --------
    >>> required_fields({"TaskName": "rest", "NumberShots": 160, "Note": "Jane"})
    {'TaskName': 'rest', 'NumberShots': 160}
    """
    return {key: value for key, value in source.items() if _is_usual(key, value)}


def _is_usual(key: str, value: Any) -> bool:
    entries = value if isinstance(value, list) else [value]
    if key in _NUMBERS:
        return all(isinstance(entry, int | float) for entry in entries)
    if not all(isinstance(entry, str) for entry in entries):
        return False
    if key in _WORDING:
        return all(_WORDING[key].fullmatch(entry) for entry in entries)
    return key in _IN_WORDS and all(map(_is_of_the_field, entries))


def _is_of_the_field(text: str) -> bool:
    words = re.findall(r"[a-z]{2,}", text.lower())
    plain = _PLAIN.fullmatch(text) and not _MANY_DIGITS.search(text)
    return bool(plain) and all(word in _WORDS for word in words)
