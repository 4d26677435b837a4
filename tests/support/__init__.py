"""What the tests and the bench share; each helper has tests of its own."""
