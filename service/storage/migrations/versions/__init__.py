"""One module per revision; plain SQL, never edited after a release."""
