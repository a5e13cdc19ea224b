"""The starter kit of a track: sample data, two notebooks and the code that they run, as one zip."""
