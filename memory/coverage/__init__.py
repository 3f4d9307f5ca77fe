"""Know which stretches of a place's messages memory holds: intervals of ids, and the table that keeps them."""
