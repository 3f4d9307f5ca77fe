"""What an operator does: back up, promote, erase, check, move."""
