"""What is said in speech of the GRID grammar, and when: the evaluator of GRID dubs."""
