"""Measurements: ``python -m benchmarks.NAME`` prints a table and, as its last line, JSON.

``races`` time our code against a peer in the same run; ``figures`` measure the numbers that lessons
and docs show. Commands and imports name a benchmark without its folder.
"""

from pathlib import Path

__path__ += [str(Path(__file__).parent / folder) for folder in ("races", "figures")]
