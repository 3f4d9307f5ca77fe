"""Turn texts into vectors: on ONNX Runtime when it could be exported, else on torch."""
