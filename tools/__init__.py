"""Scripts for working on the project: set-up, JupyterLab, building the notebooks."""
