"""Binary32 executions of ONNX networks: every order, with and without fused multiplication, flushed or not."""
