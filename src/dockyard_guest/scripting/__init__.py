"""What the handlers of scripts share: files to fetch, one run to its end, and the end of its output."""
