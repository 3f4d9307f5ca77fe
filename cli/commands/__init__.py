"""What each script does once its command line has been read."""
