"""What lies on the disk: files and the folders of sessions."""
