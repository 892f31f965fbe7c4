"""The rules of the data contract: each a function of statistics, which opens no file."""
