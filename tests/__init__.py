"""The tests mirror the library: tests/test_batching.py tests lessons_lib/batching.py."""
