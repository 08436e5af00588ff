"""The file in which somebody answers for pictures of real people that leave the house."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from faceblind.errors import ServiceError


@dataclass(frozen=True)
class ServiceConfig:
    """What a configuration file of a service says.

    Parameters
    ----------
    service : str
        Which service the permission is for.
    permitted_by : str
        Who permitted the upload, with function, such as an ethics committee and its number.
    permitted_until : date or None
        Last day of the permission.
    purpose : str
        What the upload is for.
    requests_per_second : float or None
        Rate limit of the account; by default the service's usual one.
    price_per_1000 : float or None
        Price of a thousand requests, for the estimate.
    currency : str
        Of the price.
    """

    service: str = ""
    permitted_by: str = ""
    permitted_until: date | None = None
    purpose: str = ""
    requests_per_second: float | None = None
    price_per_1000: float | None = None
    currency: str = ""

    def missing(self, service: str, today: date) -> list[str]:
        """What keeps this from being a permission for real people, in words.

        Parameters
        ----------
        service : str
            The service that is to be used.
        today : date
        """
        texts = {"permitted_by": self.permitted_by, "purpose": self.purpose}
        found = [f"{name} in --service-config" for name, text in texts.items() if not text.strip()]
        if self.service != service:
            found.append(f'service = "{service}" in --service-config')
        if self.permitted_until is None:
            found.append("permitted_until in --service-config")
        elif self.permitted_until < today:
            found.append("a permission that has not ended in --service-config")
        return found


def read_service_config(path: Path) -> ServiceConfig:
    """Read and check a configuration file.

    Parameters
    ----------
    path : Path
        TOML.

    Raises
    ------
    ServiceError
        If it cannot be read, or has a key that is unknown or of another kind.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ServiceError(f"{path}: cannot be read as TOML; check path and file") from error
    known = {field.name for field in fields(ServiceConfig)}
    strange = sorted(set(table) - known)
    if strange:
        raise ServiceError(f"{path}: unknown key {strange[0]!r}; use {', '.join(sorted(known))}")
    wrong = [name for name, value in table.items() if not _fits(name, value)]
    if wrong:
        raise ServiceError(f"{path}: {wrong[0]} has a value of the wrong kind")
    return ServiceConfig(**table)


def _fits(name: str, value: Any) -> bool:
    if name == "permitted_until":
        return type(value) is date
    if name in ("requests_per_second", "price_per_1000"):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        least = 0 if name == "price_per_1000" else 1e-3
        return number and math.isfinite(value) and value >= least
    return isinstance(value, str)
