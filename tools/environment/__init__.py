"""The set-up of .venv, the project's own environment; needs only the standard library."""
