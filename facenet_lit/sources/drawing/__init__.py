"""Drawn faces: who they are, how they sit, and the light and camera that they are seen by."""
