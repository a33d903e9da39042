"""What the templates of this package use."""
