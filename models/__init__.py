"""Everything that computes with weights, and the line-level logic between. Knows neither Prefect nor SQL."""
