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
CLEAR_OUTLINE = 0.22
"""Share of all of the brain's changes that the average brain explains from which its outline alone
tells the place: 0.24 and more in a real PDw and a real CT scan, and 0.31 in simulated PDw, all
placed within 6 mm along the diagonal; 0.20 in two simulated CT scans, which it told wrong by 26 to
29 mm."""
MOST_OTHER_OUTLINE = 0.15
"""Of the logarithm: how far sizes by that outline and by the scalp may differ: 0.11 and less in
those scans."""


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
    def by_outline(self) -> Alignment | None:
        """By a brain whose outline alone tells its place, and whose size is about its skull's.

        None where more of the brain tells than its outline.
        """
        pose = self._pose
        if pose is None or pose.is_sure or pose.share < CLEAR_OUTLINE:
            return None
        return self.by_brain if self._other_size <= MOST_OTHER_OUTLINE else None

    @property
    def is_unlike_skull(self) -> bool:
        """Whether a brain shows that may have another size than the skull wants, and tells nothing.

        Another contrast, in which no brain shows, is not meant.
        """
        pose = self._pose
        if pose is None or not pose.is_sure or pose.deep_share >= CLEAR_DEEP:
            return False
        return self._other_size > MOST_UNLIKE

    @property
    def _other_size(self) -> float:
        """Greatest difference of the logarithms of sizes by the brain and by the scalp."""
        if self._pose is None or self.by_scalp is None:
            return 0.0
        maps = (self._pose.scan_to_template, self.by_scalp.scan_to_template)
        brain, skull = (np.linalg.norm(one[:3, :3], axis=1) for one in maps)
        return float(np.abs(np.log(brain / skull)).max())

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
