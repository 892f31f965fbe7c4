"""The names that people give to splits -> the names of the splits."""

TRAIN, TEST, VALIDATION = "train", "test", "validation"
# In lower case.
SPLITS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("test", "testing"), TEST),
    **dict.fromkeys(("validation", "val", "valid", "dev"), VALIDATION),
}
