"""What a memory has to do, tried on the real one and on the fake one of the unit tests."""
