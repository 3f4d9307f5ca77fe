"""What was said: journal, stores, embeddings and search."""
