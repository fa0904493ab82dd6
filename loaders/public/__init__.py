"""One module per public data set."""
