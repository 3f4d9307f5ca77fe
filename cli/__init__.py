"""What each script says, asks and logs, in one voice."""
