"""Fits that turn the detectors' scores into one calibrated P(fake) with an unsure band."""
