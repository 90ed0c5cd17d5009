"""The set-up of .venv, the project's own environment; it needs only the standard library."""
