"""The one-time-code challenge between Define, Create and Verify."""
