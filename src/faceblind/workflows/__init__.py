"""The verbs over files: study, link, reconstruct, protect, audit."""
