"""What is done for answers, kept for a while and shown: how long each step took and what it gave."""
