"""The CustomScript extension: fetches files and runs a script or a command, once for each sequence number."""
