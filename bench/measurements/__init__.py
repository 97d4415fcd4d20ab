"""One file for each thing that is measured. Each has `measure(options)`, which gives its rows."""
