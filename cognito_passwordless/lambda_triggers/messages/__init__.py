"""Texts that a trigger gives Cognito, or sends itself."""
