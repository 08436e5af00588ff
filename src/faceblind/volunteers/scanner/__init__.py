"""Scans of volunteers: tissue, signal, artefacts."""
