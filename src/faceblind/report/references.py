"""The publications that pages cite, as BibTeX."""

from __future__ import annotations

from collections.abc import Iterable

from faceblind._version import __version__

_ENTRIES: dict[str, tuple[str, dict[str, str]]] = {
    "faceblind": (
        "software",
        {
            "title": "faceblind: measure, protect and prove what a head scan gives away",
            "author": "{The faceblind developers}",
            "version": __version__,
        },
    ),
    "schwarz2019": (
        "article",
        {
            "title": "Identification of Anonymous {MRI} Research Participants with "
            "Face-Recognition Software",
            "author": "Schwarz, Christopher G. and others",
            "journal": "New England Journal of Medicine",
            "volume": "381",
            "pages": "1684--1686",
            "year": "2019",
            "doi": "10.1056/NEJMc1908881",
        },
    ),
    "iso19795": (
        "techreport",
        {
            "title": "{ISO/IEC} 19795-1: Biometric performance testing and reporting, "
            "Part 1: Principles and framework",
            "author": "{ISO/IEC JTC 1/SC 37}",
            "institution": "International Organization for Standardization",
            "year": "2021",
        },
    ),
    "wilson1927": (
        "article",
        {
            "title": "Probable inference, the law of succession, and statistical inference",
            "author": "Wilson, Edwin B.",
            "journal": "Journal of the American Statistical Association",
            "volume": "22",
            "pages": "209--212",
            "year": "1927",
        },
    ),
    "hatch2006": (
        "inproceedings",
        {
            "title": "Within-class covariance normalization for {SVM}-based speaker recognition",
            "author": "Hatch, Andrew O. and Kajarekar, Sachin and Stolcke, Andreas",
            "booktitle": "Interspeech",
            "year": "2006",
        },
    ),
    "auckenthaler2000": (
        "article",
        {
            "title": "Score normalization for text-independent speaker verification systems",
            "author": "Auckenthaler, Roland and Carey, Michael and Lloyd-Thomas, Harvey",
            "journal": "Digital Signal Processing",
            "volume": "10",
            "pages": "42--54",
            "year": "2000",
        },
    ),
    "zhong2021": (
        "article",
        {
            "title": "{SFace}: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition",
            "author": "Zhong, Yaoyao and Deng, Weihong and Hu, Jiani and others",
            "journal": "IEEE Transactions on Image Processing",
            "volume": "30",
            "year": "2021",
        },
    ),
    "king2009": (
        "article",
        {
            "title": "Dlib-ml: A Machine Learning Toolkit",
            "author": "King, Davis E.",
            "journal": "Journal of Machine Learning Research",
            "volume": "10",
            "pages": "1755--1758",
            "year": "2009",
        },
    ),
    "rocher2025": (
        "article",
        {
            "title": "A scaling law to model the effectiveness of identification techniques",
            "author": "Rocher, Luc and Hendrickx, Julien M. and de Montjoye, Yves-Alexandre",
            "journal": "Nature Communications",
            "volume": "16",
            "pages": "347",
            "year": "2025",
            "doi": "10.1038/s41467-024-55296-6",
        },
    ),
    "holm1979": (
        "article",
        {
            "title": "A Simple Sequentially Rejective Multiple Test Procedure",
            "author": "Holm, Sture",
            "journal": "Scandinavian Journal of Statistics",
            "volume": "6",
            "pages": "65--70",
            "year": "1979",
        },
    ),
    "mcnemar1947": (
        "article",
        {
            "title": "Note on the sampling error of the difference between correlated proportions "
            "or percentages",
            "author": "McNemar, Quinn",
            "journal": "Psychometrika",
            "volume": "12",
            "pages": "153--157",
            "year": "1947",
        },
    ),
    "bonett2012": (
        "article",
        {
            "title": "Adjusted {Wald} Confidence Interval for a Difference of Binomial Proportions "
            "Based on Paired Data",
            "author": "Bonett, Douglas G. and Price, Robert M.",
            "journal": "Journal of Educational and Behavioral Statistics",
            "volume": "37",
            "pages": "479--488",
            "year": "2012",
        },
    ),
}


def bibtex(keys: Iterable[str]) -> str:
    """The entries of some keys, in their order, as the text of a ``.bib`` file.

    Parameters
    ----------
    keys : iterable of str
    """
    found = []
    for key in dict.fromkeys(keys):
        kind, fields = _ENTRIES[key]
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
        found.append("\n".join([f"@{kind}{{{key},", *lines, "}"]))
    return "\n\n".join(found) + "\n"


def of_recogniser(identity: str) -> tuple[str, ...]:
    """Keys of what describes a recogniser; none for a file of the user's own.

    Parameters
    ----------
    identity : str
        Name and hash, such as ``"sface-0ba9fbfa"``.
    """
    known = {"sface": "zhong2021", "dlib": "king2009"}
    name = identity.partition("-")[0]
    return (known[name],) if name in known else ()
