"""SQLite: resources are documents, operations a journal; every write is on the disk when it returns."""
