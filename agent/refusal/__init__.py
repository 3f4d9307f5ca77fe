"""Tell, before anybody speaks, whether what was found can answer a question at all."""
