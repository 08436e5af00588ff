"""Where a head lies by its scalp and by its brain, without a look at its face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from faceblind.attacks.own_protection.find import aligned_by
from faceblind.head.alignment import Alignment, align_by_scalp
from faceblind.head.brain_pose import BrainPose, find_brain_pose
from faceblind.head.fitting import SkinTargets
from faceblind.head.segmentation import HeadMask
from faceblind.head.skin import Skin
from faceblind.protect.placement import nearest_placement
from faceblind.scan import Scan

LEAST_SCALP = 0.8
"""Share of the scalp in view that must have skin for a fit by scalp alone to be believed."""

CLEAR_DEEP = 0.08
"""Share of the deep brain's changes that the average brain explains, from which its place needs no
other witness: 0.09 and more in eleven real scans."""
MOST_UNLIKE = 0.1
"""Of the logarithm: how far sizes by the brain and by the scalp may differ where it needs one. Ten
simulated heads with small brains in wide skulls have 0.07 deep and 0.11 to 0.21; such a brain
tells nothing about its face."""


@dataclass(frozen=True)
class Faceless:
    """A head as it is found without its face, looked for once and only if asked.

    Parameters
    ----------
    skin, scan, head
        Of one head.
    targets : SkinTargets
        `SkinTargets.of` that skin; fits that it knows already are not made again.
    """

    skin: Skin
    scan: Scan
    head: HeadMask
    targets: SkinTargets

    @cached_property
    def by_scalp(self) -> Alignment | None:
        """By scalp, ears and neck."""
        return align_by_scalp(self.skin, self.scan, targets=self.targets)

    @cached_property
    def _pose(self) -> BrainPose | None:
        if self.by_scalp is None:
            return None
        return find_brain_pose(self.by_scalp.scan_to_template, self.scan, self.head)

    @cached_property
    def by_brain(self) -> Alignment | None:
        """By its brain, a place worth a try; None where the brain tells nothing."""
        if self.by_scalp is None or self._pose is None or not self._pose.is_likely:
            return None
        return aligned_by(nearest_placement(self._pose.scan_to_template), self.by_scalp)

    @property
    def surely_by_brain(self) -> Alignment | None:
        """The same where it is to be believed."""
        is_sure = self._pose is not None and self._pose.is_sure
        return self.by_brain if is_sure and not self.is_unlike_skull else None

    @property
    def is_unlike_skull(self) -> bool:
        """Whether a brain shows that may have another size than the skull wants, and tells nothing.

        Another contrast, in which no brain shows, is not meant.
        """
        pose = self._pose
        if pose is None or self.by_scalp is None or not pose.is_sure:
            return False
        if pose.deep_share >= CLEAR_DEEP:
            return False
        maps = (pose.scan_to_template, self.by_scalp.scan_to_template)
        brain, skull = (np.linalg.norm(one[:3, :3], axis=1) for one in maps)
        return bool(np.abs(np.log(brain / skull)).max() > MOST_UNLIKE)

    def before_brain(self, found: Alignment) -> Alignment:
        """By the scalp, if an alignment is the brain's; else the same."""
        known = self.__dict__.get("by_brain")
        return self.by_scalp if known is found and self.by_scalp is not None else found

    @property
    def by_scalp_alone(self) -> Alignment | None:
        """By scalp, ears and neck; None where the scalp does not bear it out."""
        found = self.by_scalp
        if found is None:
            return None
        seen = max(found.seen["scalp"], 1e-6)
        return found if found.support["scalp"] / seen >= LEAST_SCALP else None
