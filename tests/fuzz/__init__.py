"""Properties that hold for whatever members, models, files and servers send; `make fuzz` tries many more inputs."""
