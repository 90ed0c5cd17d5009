"""The tests mirror the library: batching/test_packing.py here tests batching/packing.py there."""
