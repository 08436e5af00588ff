"""What the scanner is asked for: presets named after the usual protocols, with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Protocol:
    """One series.

    Attributes
    ----------
    name : str
        Key in `PROTOCOLS`.
    suffix : str
        BIDS suffix, such as ``"T1w"``.
    entities : tuple of (str, str)
        Further BIDS entities, such as ``("acq", "axial")``.
    modality : str
        ``"MR"`` or ``"CT"``.
    sequence : str
        ``"inversion-echo"``, ``"spoiled-echo"``, ``"spin-echo"``, ``"inversion-spin-echo"`` or
        ``"ct"``.
    source : str
        Where the figures come from.
    voxel_mm : tuple of float
        In-plane right and anterior, then along superior; for slices the last is their thickness.
    fov_mm : tuple of float
        Field of view along right, anterior and superior.
    gap_mm : float
        Between slices; 0 for 3-D.
    slices : bool
        2-D slices, tilted with the head, instead of a 3-D slab.
    orders : tuple of str
        Axis orders in which scanners store the series.
    tesla, tr_ms, te_ms, ti_ms, flip_deg, train_ms : float
        Field strength, repetition, echo and inversion time, flip angle, and how long a train of
        echoes lasts. Echo times of trains with varied flip angles are those of equal contrast.
    echoes : int
        Of an inversion-prepared train of gradient echoes; 0 neglects what the train disturbs.
    fat_suppression : float
        Share of the fat's signal that is gone, 0 to 1.
    bandwidth_hz : float
        Per pixel along the read-out; fat moves by 3.5 ppm of the field over it.
    noise : float
        Noise as a multiple of `ScannerSettings.noise`.
    """

    name: str
    suffix: str
    sequence: str
    source: str
    voxel_mm: tuple[float, float, float]
    fov_mm: tuple[float, float, float]
    entities: tuple[tuple[str, str], ...] = ()
    modality: str = "MR"
    gap_mm: float = 0.0
    slices: bool = False
    orders: tuple[str, ...] = ("RAS", "LPS", "PIR", "LAS")
    tesla: float = 3.0
    tr_ms: float = 2300.0
    te_ms: float = 3.0
    ti_ms: float = 0.0
    flip_deg: float = 90.0
    train_ms: float = 0.0
    echoes: int = 0
    fat_suppression: float = 0.0
    bandwidth_hz: float = 240.0
    noise: float = 1.0

    @property
    def pitch_mm(self) -> float:
        """From one slice (or partition) to the next."""
        return self.voxel_mm[2] + self.gap_mm


_AXIAL = ("RAS", "LPS", "LAS")

_ALL = (
    Protocol(
        "T1w", "T1w", "inversion-echo",
        "3D MPRAGE, 1 mm: ADNI3 (adni.loni.usc.edu, MRI protocols), Siemens 3 T",
        (1.0, 1.0, 1.0), (184.0, 240.0, 248.0),
        tr_ms=2300.0, te_ms=3.0, ti_ms=900.0, flip_deg=9.0, echoes=176, train_ms=1230.0,
        bandwidth_hz=240.0,
    ),
    Protocol(
        "T2w", "T2w", "spin-echo",
        "3D SPACE, 1 mm: HCP Lifespan (Harms et al. 2018, NeuroImage 183:972)",
        (1.0, 1.0, 1.0), (176.0, 240.0, 256.0),
        tr_ms=3200.0, te_ms=105.0, train_ms=600.0, bandwidth_hz=744.0,
    ),
    Protocol(
        "FLAIR", "FLAIR", "inversion-spin-echo",
        "3D FLAIR, 1 mm: ADNI3 (adni.loni.usc.edu, MRI protocols), Siemens 3 T",
        (1.0, 1.0, 1.0), (176.0, 256.0, 248.0),
        tr_ms=4800.0, te_ms=110.0, ti_ms=1650.0, train_ms=700.0, bandwidth_hz=750.0,
        fat_suppression=0.35,
    ),
    Protocol(
        "axFLAIR", "FLAIR", "inversion-spin-echo",
        "2D axial FLAIR, 5 mm: ADNI 2 (adni.loni.usc.edu, MRI protocols), 3 T; gap of 1 mm",
        (0.86, 0.86, 5.0), (220.0, 220.0, 170.0), (("acq", "axial"),),
        gap_mm=1.0, slices=True, orders=_AXIAL,
        tr_ms=9000.0, te_ms=90.0, ti_ms=2500.0, train_ms=180.0, bandwidth_hz=220.0,
        fat_suppression=0.3, noise=0.7,
    ),
    Protocol(
        "PDw", "PDw", "spin-echo",
        "Double-echo TSE, first echo: IXI, Hammersmith 3 T (brain-development.org/ixi-dataset)",
        (0.94, 0.94, 1.25), (240.0, 240.0, 162.0),
        slices=True, orders=_AXIAL, tr_ms=5725.0, te_ms=8.0, train_ms=100.0, bandwidth_hz=220.0,
    ),
    Protocol(
        "T2star", "T2starw", "spoiled-echo",
        "3D multi-echo GRE: UK Biobank (Alfaro-Almagro et al. 2018, NeuroImage 166:400), enlarged",
        (0.8, 0.8, 3.0), (205.0, 230.0, 180.0),
        slices=True, orders=_AXIAL, tr_ms=27.0, te_ms=20.0, flip_deg=15.0, bandwidth_hz=280.0,
        noise=1.2,
    ),
    Protocol(
        "axT2star", "T2starw", "spoiled-echo",
        "2D axial T2* GRE, 4 mm: ADNI 2 (adni.loni.usc.edu, MRI protocols), 3 T",
        (0.86, 0.86, 4.0), (220.0, 220.0, 168.0), (("acq", "axial"),),
        slices=True, orders=_AXIAL, tr_ms=650.0, te_ms=20.0, flip_deg=20.0, bandwidth_hz=200.0,
    ),
    Protocol(
        "lowfield", "T1w", "inversion-echo",
        "3D T1, 64 mT, 1.6 x 1.6 x 5 mm: portable scanner (Deoni et al. 2021, MRM 86:2732)",
        (1.6, 1.6, 5.0), (180.0, 220.0, 180.0), (("acq", "lowfield"),),
        slices=True, orders=_AXIAL, tesla=0.064,
        tr_ms=1500.0, te_ms=6.0, ti_ms=300.0, flip_deg=10.0, bandwidth_hz=250.0, noise=2.0,
    ),
    Protocol(
        "CT", "CT", "ct",
        "Head CT, 120 kV, 1 mm, soft kernel (ACR-ASNR-SPR practice parameter for CT of the brain)",
        (0.98, 0.98, 1.0), (250.0, 250.0, 232.0),
        modality="CT", orders=("LPS", "LAS"),
    ),
)  # fmt: skip

PROTOCOLS: MappingProxyType[str, Protocol] = MappingProxyType({p.name: p for p in _ALL})
"""By name: T1w, T2w, FLAIR, axFLAIR, PDw, T2star, axT2star, lowfield, CT."""
