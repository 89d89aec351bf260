"""Pictures of what was measured, all with one look."""
