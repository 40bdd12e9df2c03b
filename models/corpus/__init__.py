"""Training material: recorded and synthesised speech with phones on the clock, and faces that speak it."""
