"""The one image type inside faceblind: voxels with an affine, in RAS+ millimetres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from numpy.typing import ArrayLike, NDArray

from faceblind.display import slices_html
from faceblind.errors import ScanError

# Determinant over the product of the axis lengths is 1 for orthogonal axes and 0 for axes in one
# plane. A gantry tilt of 30 degrees gives 0.87; below this bound positions are meaningless.
_MIN_ORTHOGONALITY = 1e-3
_CHUNK = 1 << 22


@dataclass(frozen=True, eq=False)
class Stored:
    """The numbers as they stand on disk, so that unchanged voxels are written back bit for bit.

    Parameters
    ----------
    raw : (I, J, K) or (I, J, K, T) ndarray
        Stored numbers in the file's data type and byte order; the file means
        ``raw * slope + inter``.
    slope, inter : float
        The file's scaling; 1 and 0 where it has none.
    voxels : ndarray
        The scaled array that `raw` stands for. A scan whose voxels are another array no longer
        belongs to this record, and writers must refuse it.
    affine : (4, 4) float64 ndarray
        The affine (RAS+ mm) that the container's header stands for.
    container : object, optional
        The rest of the file; only the format module that made it looks inside.
    """

    raw: NDArray[Any]
    slope: float
    inter: float
    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    container: Any = None

    @property
    def is_scaled(self) -> bool:
        """Whether intensities differ from the stored numbers."""
        return self.slope != 1.0 or self.inter != 0.0

    def quantise(self, values: ArrayLike) -> NDArray[Any]:
        """Intensities as stored numbers: unscaled, rounded for integers, clipped to the range.

        Parameters
        ----------
        values : array_like
            Finite intensities.

        Returns
        -------
        ndarray
            Same shape, in the data type of `raw`.
        """
        given = np.asarray(values)
        dtype = self.raw.dtype.newbyteorder("=")
        if given.size > _CHUNK:
            # Piece by piece: float64 copies of a whole series would not fit into memory.
            flat = given.reshape(-1)
            out = np.empty(flat.shape, dtype)
            for start in range(0, flat.size, _CHUNK):
                out[start : start + _CHUNK] = self.quantise(flat[start : start + _CHUNK])
            return out.reshape(given.shape)
        if (
            given.dtype == np.float32 and not self.is_scaled
            and dtype.kind in "iu" and dtype.itemsize <= 2
        ):  # fmt: skip
            # Float32 holds these integers exactly, and rounds to them as float64 does.
            numbers = np.rint(given)
            ends = np.iinfo(dtype).min, np.iinfo(dtype).max
            return np.clip(numbers, *ends, out=numbers).astype(dtype)
        numbers = (given.astype(np.float64) - self.inter) / self.slope
        if dtype.kind == "f":
            info = np.finfo(dtype)
            return np.clip(numbers, info.min, info.max).astype(dtype)
        limits = np.iinfo(dtype)
        # The largest 64-bit integers have no float64 twin: one step below is the nearest that has.
        high = float(limits.max)
        if int(high) > limits.max:
            high = float(np.nextafter(high, 0.0))
        return np.clip(np.rint(numbers), float(limits.min), high).astype(dtype)

    def intensities(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Stored numbers as intensities: float32, or the stored integer type if unscaled."""
        if raw.dtype.kind != "f" and not self.is_scaled:
            return raw.astype(raw.dtype.newbyteorder("="), copy=False)
        # What float32 cannot hold becomes infinite, and the reader treats it as not finite.
        with np.errstate(over="ignore", invalid="ignore"):
            if not self.is_scaled:
                return raw.astype(np.float32, copy=False)
            if raw.dtype.itemsize > 2 or abs(self.slope) < np.finfo(np.float32).tiny:
                return (raw.astype(np.float64) * self.slope + self.inter).astype(np.float32)
            scaled = raw.astype(np.float32)
            scaled *= np.float32(self.slope)
            scaled += np.float32(self.inter)
            return scaled


@dataclass(frozen=True, eq=False)
class Position:
    """How far a header says where its voxels lie in the world.

    Parameters
    ----------
    code : int
        Kind of world space, as NIfTI counts (nifti1.h): 0 unknown, so that the affine is a guess;
        1 scanner; 2 aligned to another scan; 3 and more a template.
    second : (4, 4) float64 ndarray, optional
        Voxel index to RAS+ mm of a second statement that contradicts the affine.
    """

    code: int = 1
    second: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Scan:
    """A volume (or series of volumes) and where it lies.

    Parameters
    ----------
    voxels : (I, J, K) or (I, J, K, T) ndarray
        Scaled intensities. Read-only when the scan comes from a file.
    affine : (4, 4) float64 ndarray
        Voxel index to RAS+ millimetres.
    modality : str, optional
        BIDS suffix such as ``"T1w"``, when known.
    source : str, optional
        Where the scan came from, for messages.
    stored : Stored, optional
        What the writer needs to give unchanged voxels back bit for bit.
    doubt : str
        What may be wrong with the header, for messages; mostly empty.
    position : Position
        How far the affine can be trusted beside other images.

    Raises
    ------
    ScanError
        If the array is not 3-D or 4-D or the affine is not an invertible, finite (4, 4) matrix.

    Examples
    --------
    >>> import numpy as np
    >>> scan = Scan(np.zeros((4, 5, 6), np.float32), np.diag([2.0, 2.0, 3.0, 1.0]))
    >>> scan.spacing
    array([2., 2., 3.])
    >>> scan.world([[1, 1, 1]])
    array([[2., 2., 3.]])
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    modality: str | None = None
    source: str | None = None
    stored: Stored | None = None
    doubt: str = ""
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        name = self.source or "scan"
        if self.voxels.ndim not in (3, 4):
            raise ScanError(f"{name}: expected a 3-D or 4-D volume, got shape {self.voxels.shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ScanError(f"{name}: the affine must be a finite 4x4 matrix; repair the header")
        with np.errstate(over="ignore", invalid="ignore"):
            volume = np.prod(np.linalg.norm(affine[:3, :3], axis=0))
            determinant = abs(np.linalg.det(affine[:3, :3]))
        # Negated, so that a comparison with NaN (from overflow) refuses too.
        if not (0 < volume < np.inf and determinant >= _MIN_ORTHOGONALITY * volume):
            raise ScanError(f"{name}: the affine is singular; repair the header")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    def __repr__(self) -> str:
        return f"Scan({self._described()})"

    def _repr_html_(self) -> str:
        scan = self.canonical()
        return slices_html(scan.volume(), scan.spacing, self._described())

    def _described(self) -> str:
        """Sizes and type, never where it came from: that may name a person."""
        kind = f"{self.modality}, " if self.modality else ""
        shape = " x ".join(map(str, self.voxels.shape))
        spacing = " x ".join(f"{size:.3g}" for size in self.spacing)
        return f"{kind}{shape} voxels of {spacing} mm, {self.voxels.dtype}"

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
        ornt = io_orientation(self.affine)
        voxels = apply_orientation(self.voxels, ornt)
        affine = self.affine @ inv_ornt_aff(ornt, self.shape)
        return replace(self, voxels=voxels, affine=affine, stored=None)

    def world(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Map (N, 3) voxel indices to (N, 3) RAS+ millimetres."""
        return apply_affine(self.affine, ijk)

    def index(self, xyz: ArrayLike) -> NDArray[np.float64]:
        """Map (N, 3) RAS+ millimetres to (N, 3) voxel indices."""
        return apply_affine(np.linalg.inv(self.affine), xyz)

    def with_changes(self, mask: NDArray[np.bool_], values: ArrayLike) -> Scan:
        """A copy with new intensities where `mask` is true and every other voxel as it was.

        Only the changed voxels are quantised, with the file's own type and scaling; the voxels of
        the result show what the file will hold.

        Parameters
        ----------
        mask : (I, J, K) bool ndarray, or of the shape of `voxels`
            Voxels to change. A 3-D mask on a 4-D scan changes every volume.
        values : array_like
            One number, or an array of the shape of `voxels` of which the masked part is taken,
            or whatever ``voxels[mask] = values`` accepts.

        Returns
        -------
        Scan
            Read-only voxels; still tied to the file it came from, if any.

        Raises
        ------
        ScanError
            If the shapes do not fit, a value is not finite, or the scan's voxels were replaced
            behind the back of its stored record.
        """
        name = self.source or "scan"
        mask = np.asarray(mask, dtype=bool)
        if mask.shape not in (self.shape, self.voxels.shape):
            raise ScanError(f"{name}: expected a mask of shape {self.shape}, got {mask.shape}")
        new = np.asarray(values)
        if new.dtype != np.float32:
            new = new.astype(np.float64)
        if new.shape == self.voxels.shape:
            new = new[mask]
        if not np.isfinite(new).all():
            raise ScanError(f"{name}: new voxel values must be finite")
        stored = self.stored
        if stored is None:
            voxels = np.zeros((), self.voxels.dtype)
            stored = Stored(self.voxels, 1.0, 0.0, voxels, self.affine)
            return replace(self, voxels=_changed(self.voxels, mask, stored.quantise(new)))
        if stored.voxels is not self.voxels:
            raise ScanError(f"{name}: the voxels were replaced; change the scan as it was loaded")
        numbers = stored.quantise(new)
        raw = _changed(stored.raw, mask, numbers)
        if stored.voxels is stored.raw:
            voxels = raw
        else:
            voxels = _changed(self.voxels, mask, stored.intensities(numbers))
        return replace(self, voxels=voxels, stored=replace(stored, raw=raw, voxels=voxels))

    def with_gaps(self, mask: NDArray[np.bool_]) -> Scan:
        """A copy of which the file holds NaN under `mask`; the intensities stay as they are.

        Parameters
        ----------
        mask : bool ndarray of the shape of `voxels`

        Raises
        ------
        ScanError
            If the scan's stored numbers know no NaN.
        """
        stored = self.stored
        if stored is None or stored.raw.dtype.kind != "f" or stored.voxels is stored.raw:
            raise ScanError(f"{self.source or 'scan'}: its stored numbers know no NaN")
        raw = _changed(stored.raw, mask, np.full(int(mask.sum()), np.nan, stored.raw.dtype))
        return replace(self, stored=replace(stored, raw=raw))

    def with_volumes(
        self, changes: Iterable[tuple[int, NDArray[np.bool_], NDArray[np.float32]]]
    ) -> Scan:
        """As `with_changes`, volume by volume, so that only one at a time is held twice.

        Parameters
        ----------
        changes : iterable of (int, (I, J, K) bool ndarray, (I, J, K) ndarray)
            Volume, voxels to change, and new intensities, of which those under the mask count.
            Volumes that are not named stay.
        """
        stored = self.stored
        if stored is not None and stored.voxels is not self.voxels:
            name = self.source or "scan"
            raise ScanError(f"{name}: the voxels were replaced; change the scan as it was loaded")
        stands_for = stored or Stored(self.voxels, 1.0, 0.0, self.voxels, self.affine)
        raw = stands_for.raw.copy(order="K")
        same = stands_for.voxels is stands_for.raw
        voxels = raw if same else self.voxels.copy(order="K")
        for t, mask, new in changes:
            name = self.source or "scan"
            if mask.shape != self.shape or new.shape != self.shape:
                raise ScanError(f"{name}: new voxel values do not fit their mask")
            # Across the order of memory, picking voxels takes twenty times as long.
            order = memory_axes(raw if raw.ndim == 3 else raw[..., t])
            where = mask.transpose(order)
            values = new.transpose(order)[where]
            if not np.isfinite(values).all():
                raise ScanError(f"{name}: new voxel values must be finite")
            numbers = stands_for.quantise(values)
            (raw if raw.ndim == 3 else raw[..., t]).transpose(order)[where] = numbers
            if not same:
                shown = stands_for.intensities(numbers)
                (voxels if voxels.ndim == 3 else voxels[..., t]).transpose(order)[where] = shown
        raw.setflags(write=False)
        voxels.setflags(write=False)
        record = None if stored is None else replace(stored, raw=raw, voxels=voxels)
        return replace(self, voxels=voxels, stored=record)


def memory_axes(volume: NDArray[Any]) -> NDArray[np.int64]:
    """Axes of an (I, J, K) volume, slowest in memory first."""
    return np.argsort([-abs(stride) for stride in volume.strides], kind="stable")


def _changed(array: NDArray[Any], mask: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[Any]:
    """Read-only copy of `array`, memory order kept, with `values` under `mask`."""
    copy = array.copy(order="K")
    try:
        copy[mask] = values
    except ValueError as error:
        raise ScanError(
            f"new voxel values of shape {values.shape} do not fit {int(mask.sum())} masked voxels"
        ) from error
    copy.setflags(write=False)
    return copy
