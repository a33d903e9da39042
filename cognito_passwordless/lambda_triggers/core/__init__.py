"""What each trigger stands on: events, environment, deadlines."""
