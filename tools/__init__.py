"""Scripts for work on the project: set-up, JupyterLab, notebooks, map, site and base model."""
