"""faceblind's own protections, recognised without the original."""
