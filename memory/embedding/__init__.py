"""Run an embedding model: on ONNX Runtime when it could be exported, else on torch."""
