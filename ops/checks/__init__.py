"""Look at everything that Backscroll stands on, and change nothing."""
