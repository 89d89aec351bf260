"""What happens beside training: the clock, checkpoints, pictures."""
