"""The bytes of picture files -> pixels, the same in ingest and in scoring; no header is trusted."""
