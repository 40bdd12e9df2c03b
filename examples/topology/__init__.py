"""The services of a real installation as plain processes on this machine: for tests, benchmarks and trying things."""
