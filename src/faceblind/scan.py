"""The one image type inside faceblind: voxels with an affine, in RAS+ millimetres."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import ScanError


@dataclass(frozen=True)
class Scan:
    """A volume (or series of volumes) and where it lies.

    Parameters
    ----------
    voxels : (I, J, K) or (I, J, K, T) ndarray
        Scaled intensities.
    affine : (4, 4) float64 ndarray
        Voxel index to RAS+ millimetres.
    modality : str, optional
        BIDS suffix such as ``"T1w"``, when known.
    source : str, optional
        Where the scan came from, for messages.
    stored : object, optional
        What the reader needs to write unchanged voxels back bit for bit. Opaque here.

    Raises
    ------
    ScanError
        If the array is not 3-D or 4-D or the affine is not an invertible, finite (4, 4) matrix.
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    modality: str | None = None
    source: str | None = None
    stored: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = self.source or "scan"
        if self.voxels.ndim not in (3, 4):
            raise ScanError(f"{name}: expected a 3-D or 4-D volume, got shape {self.voxels.shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ScanError(f"{name}: the affine must be a finite 4x4 matrix; repair the header")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise ScanError(f"{name}: the affine is singular; repair the header")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Spatial shape (I, J, K)."""
        return self.voxels.shape[:3]  # type: ignore[return-value]

    @property
    def spacing(self) -> NDArray[np.float64]:
        """(3,) voxel size in millimetres along the voxel axes."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    def volume(self, t: int = 0) -> NDArray[Any]:
        """The (I, J, K) volume at time `t`."""
        return self.voxels if self.voxels.ndim == 3 else self.voxels[..., t]

    def canonical(self) -> Scan:
        """The same scan with voxel axes reordered and flipped to the closest RAS+ axes."""
        ornt = nib.orientations.io_orientation(self.affine)
        voxels = nib.orientations.apply_orientation(self.voxels, ornt)
        affine = self.affine @ nib.orientations.inv_ornt_aff(ornt, self.shape)
        return replace(self, voxels=voxels, affine=affine, stored=None)

    def world(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Map (N, 3) voxel indices to (N, 3) RAS+ millimetres."""
        return nib.affines.apply_affine(self.affine, ijk)

    def index(self, xyz: ArrayLike) -> NDArray[np.float64]:
        """Map (N, 3) RAS+ millimetres to (N, 3) voxel indices."""
        return nib.affines.apply_affine(np.linalg.inv(self.affine), xyz)
