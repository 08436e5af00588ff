"""faceblind."""
