"""What `doctor` checks: the installation, the machine, the data set, the stored runs and the promoted models."""
