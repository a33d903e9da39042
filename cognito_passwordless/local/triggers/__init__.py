"""Running a pool's Lambda triggers."""
