"""Losses over a batch: pure functions of its rows, and the small modules that hold their settings."""
