"""Asks what is true of a release, and changes nothing. One observer a file in ``observers/``."""
