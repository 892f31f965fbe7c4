"""The batch job: files of images in, a file of predictions out, resumable after a stop."""
