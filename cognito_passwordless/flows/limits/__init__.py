"""Budgets of messages, starts and calls, counted in the database."""
