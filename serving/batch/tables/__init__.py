"""Tables of images: pixels in columns, or pictures as bytes in a column; CSV, Parquet and tar files."""
