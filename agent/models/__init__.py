"""Chat models: which one answers, how it is created, and how it is asked."""
