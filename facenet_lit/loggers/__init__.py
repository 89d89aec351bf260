"""Where a run is looked at: TensorBoard, Weights & Biases, MLflow, or plain files."""
