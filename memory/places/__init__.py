"""Know the channels, threads and posts that there are, also those that are archived, hidden or gone."""
