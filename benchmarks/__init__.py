"""Measurements: printed, never judged, each against a rival in the same run."""
