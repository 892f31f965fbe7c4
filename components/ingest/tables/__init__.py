"""Data sets in tables: pixels in columns, pictures as bytes, or names of picture files, with a column of labels."""
