"""A study by a remote service: what must be permitted first, then the search itself."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from faceblind.datasets.census import ScanFile
from faceblind.datasets.photographs import PhotoRow
from faceblind.errors import ServiceError
from faceblind.identification.candidates import scores_of_candidates
from faceblind.identification.scores import Scores
from faceblind.recognition.services.access import Access, read_access
from faceblind.recognition.services.azure_face import PER_SECOND as AZURE_PER_SECOND
from faceblind.recognition.services.azure_face import AzureFace, is_installed
from faceblind.recognition.services.compreface import PER_SECOND as COMPREFACE_PER_SECOND
from faceblind.recognition.services.compreface import CompreFace
from faceblind.recognition.services.group import new_token, temporary_group
from faceblind.recognition.services.interface import IdentificationService
from faceblind.system.tables import write_json
from faceblind.workflows.features import FeatureSettings
from faceblind.workflows.service_config import ServiceConfig, read_service_config
from faceblind.workflows.service_pictures import (
    LIGHTS,
    Pictures,
    photograph_pictures,
    render_pictures,
)
from faceblind.workflows.study_material import all_synthetic

logger = logging.getLogger(__name__)

ServiceName = Literal["azure", "compreface"]

SERVICES: dict[str, tuple[Callable[..., IdentificationService], float]] = {
    "azure": (AzureFace, AZURE_PER_SECOND),
    "compreface": (CompreFace, COMPREFACE_PER_SECOND),
}
MOST_REQUESTS = 10_000
NOTE = "service_group.json"
"""Names a group that may still exist in a service; in the private folder."""


@dataclass(frozen=True)
class ServiceChoice:
    """Which service searches, and what its user answers for.

    Parameters
    ----------
    name : {"azure", "compreface"}
        Endpoint and key come from the environment: ``FACEBLIND_AZURE_ENDPOINT`` and
        ``FACEBLIND_AZURE_KEY``, or the same of ``COMPREFACE``.
    may_upload : bool
        "I have permission to upload these pictures." Only a CompreFace on this machine or in a
        private network works without.
    config : Path, optional
        See `faceblind.workflows.service_config.ServiceConfig`; needed for real people wherever
        `may_upload` is.
    most_requests : int
        Refuse before anything is uploaded if the estimate is higher.
    """

    name: ServiceName
    may_upload: bool = False
    config: Path | None = None
    most_requests: int = MOST_REQUESTS


@dataclass(frozen=True)
class Permitted:
    """A service that may be used for a study.

    Parameters
    ----------
    service : IdentificationService
    config : ServiceConfig
    config_text : str
        The file as it was; empty without one.
    most_requests : int
    per_second : float
    """

    service: IdentificationService
    config: ServiceConfig
    config_text: str
    most_requests: int
    per_second: float


@dataclass(frozen=True)
class Searched:
    """What the service gave.

    Parameters
    ----------
    scores : Scores
    failed : dict of str to str
        Person to reason, of those who could not be enrolled or searched for.
    flags : tuple of dict
        Remarks on photographs.
    shown : frozenset of str
        Persons whose scan has a face.
    settings : dict
        For the summary; names nobody and no address.
    """

    scores: Scores
    failed: dict[str, str]
    flags: tuple[dict[str, str], ...]
    shown: frozenset[str]
    settings: dict[str, Any]


def permitted_service(
    choice: ServiceChoice, table: Path, files: Sequence[Path], direction: str
) -> Permitted:
    """The service, if everything is given that its use needs. Nothing is sent.

    Parameters
    ----------
    choice : ServiceChoice
    table : Path
        The table of photographs.
    files : sequence of Path
        Scans and photographs.
    direction : str

    Raises
    ------
    ServiceError
        One line that says all that is missing.
    """
    if choice.name not in SERVICES:
        raise ServiceError(f"service: expected one of {', '.join(SERVICES)}, got {choice.name!r}")
    if direction != "photo-to-scan":
        raise ServiceError(f"{choice.name}: searches photo-to-scan only; leave out --direction")
    if choice.most_requests < 1:
        raise ServiceError(f"{choice.name}: --most-requests must be at least 1")
    config, text, missing = ServiceConfig(), "", []
    if choice.config is not None:
        config = read_service_config(choice.config)
        text = choice.config.read_text(encoding="utf-8")
    access: Access | None = None
    try:
        access = read_access(choice.name, os.environ)
    except ServiceError as error:
        missing.append(str(error))
    stays = choice.name == "compreface" and access is not None and access.is_local
    if not stays:
        missing += [] if choice.may_upload else ["--i-have-permission-to-upload"]
        if not all_synthetic(table.parent, files):
            missing += _sign_off(choice, config)
    if choice.name == "azure" and not is_installed():
        missing.append("pip install 'faceblind[azure]'")
    if missing or access is None:
        raise ServiceError(f"{choice.name}: nothing was uploaded; missing: {'; '.join(missing)}")
    make, usual = SERVICES[choice.name]
    per_second = config.requests_per_second or usual
    return Permitted(make(access, per_second), config, text, choice.most_requests, per_second)


def _sign_off(choice: ServiceChoice, config: ServiceConfig) -> list[str]:
    if choice.config is None:
        return ["a signed-off --service-config, because these may be real people"]
    return config.missing(choice.name, datetime.now(UTC).date())


def search_by_service(
    permitted: Permitted,
    files: Sequence[ScanFile],
    rows: Sequence[PhotoRow],
    settings: FeatureSettings,
    private: Path,
    n_jobs: int,
    show: bool,
) -> Searched:
    """Enrol everybody's renders under random names, identify the photographs, delete it all.

    Parameters
    ----------
    permitted : Permitted
    files : sequence of ScanFile
        One scan for each person.
    rows : sequence of PhotoRow
    settings : FeatureSettings
    private : Path
        The private folder of the output.
    n_jobs : int
    show : bool
        Show the progress.

    Raises
    ------
    ServiceError
        If the estimate is too high, the service fails, or nobody is left to search for.
    """
    renders = render_pictures(files, settings, private / "cache", n_jobs, show)
    photographs = photograph_pictures(rows, n_jobs, show)
    service = permitted.service
    if not renders.of or not photographs.of:
        raise ServiceError(
            f"{service.name}: nothing was uploaded; no scan or no photograph shows a face"
        )
    estimate = check_estimate(permitted, renders, photographs)
    if permitted.config_text:
        (private / "service_config.toml").write_text(permitted.config_text, encoding="utf-8")
    started = _now()
    with temporary_group(service, private / NOTE) as group:
        taken, names = _enrol(service, renders)
        service.train()
        answers, lists = _identify(service, photographs, names)
    times = {"started": started, "deleted": _now()}
    write_json(private / "service.json", {"service": service.name, "group": group, **times})
    failed = {**photographs.failed, **renders.failed}
    failed |= dict.fromkeys(set(photographs.of) - set(answers), _BLIND_PHOTOS)
    failed |= dict.fromkeys(set(renders.of) - set(taken), _BLIND_RENDERS)
    return Searched(
        scores_of_candidates(answers, taken, service.identity),
        failed,
        photographs.flags,
        frozenset(renders.of),
        {
            "service": {
                "name": service.name,
                **service.settings(),
                "requests_estimated": estimate,
                "candidates_asked": min(len(taken), service.most_candidates),
                "candidates_returned": [min(lists, default=0), max(lists, default=0)],
                "renders_without_face": _sum(renders.of) - sum(taken.values()),
                "photographs_without_face": _sum(photographs.of) - len(lists),
            },
            "lights": len(LIGHTS),
        },
    )


_BLIND_RENDERS = "the service found no face in any render"
_BLIND_PHOTOS = "the service found no face in any photograph"


def check_estimate(permitted: Permitted, renders: Pictures, photographs: Pictures) -> int:
    """Say what an upload takes; refuse it above the limit that its user set.

    Parameters
    ----------
    permitted : Permitted
    renders, photographs : Pictures

    Returns
    -------
    int
        Requests.

    Raises
    ------
    ServiceError
    """
    service, config = permitted.service, permitted.config
    counts = [[len(one) for one in side.of.values()] for side in (renders, photographs)]
    requests = service.requests(counts[0], counts[1])
    size = sum(len(one) for side in (renders, photographs) for p in side.of.values() for one in p)
    told = (
        f"{requests} requests, {size / 1e6:.1f} MB, at least "
        f"{requests / permitted.per_second / 60:.1f} minutes"
    )
    if config.price_per_1000 is not None:
        price = requests * config.price_per_1000 / 1000
        told += f", about {price:.2f} {config.currency}".rstrip() + " beside training and storage"
    if requests > permitted.most_requests:
        raise ServiceError(
            f"{service.name}: nothing was uploaded; it takes {told}, more than --most-requests "
            f"{permitted.most_requests}"
        )
    logger.info("Service %s: %s.", service.name, told)
    return requests


def _enrol(
    service: IdentificationService, renders: Pictures
) -> tuple[dict[str, int], dict[str, str]]:
    """Pictures taken of each person, and whom each token stands for.

    The order is random as well: that of labels would tell the service who is who in a list.
    """
    people = list(renders.of)
    random.SystemRandom().shuffle(people)
    taken, names = {}, {}
    for person in people:
        token = new_token()
        count = service.enrol(token, renders.of[person])
        if count:
            taken[person], names[token] = count, person
    if not taken:
        raise ServiceError(f"{service.name}: the service found no face in any render")
    return taken, names


def _identify(
    service: IdentificationService, photographs: Pictures, names: Mapping[str, str]
) -> tuple[dict[str, list[dict[str, float]]], list[int]]:
    """Confidences by person of each picture with a face, and how long the lists were."""
    wanted = min(len(names), service.most_candidates)
    answers: dict[str, list[dict[str, float]]] = {}
    lists: list[int] = []
    for person, pictures in photographs.of.items():
        for one in service.identify(pictures, wanted):
            if one is None:
                continue
            known = {names[c.token]: c.confidence for c in one if c.token in names}
            answers.setdefault(person, []).append(known)
            lists.append(len(known))
    return answers, lists


def _sum(pictures: Mapping[str, Sequence[bytes]]) -> int:
    return sum(map(len, pictures.values()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
