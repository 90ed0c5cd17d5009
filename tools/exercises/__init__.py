"""Commands for whoever writes exercises."""
