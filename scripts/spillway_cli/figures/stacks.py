"""Folded stacks, `main;serve;read_all 4096` a line: the frames from the outermost on, then bytes."""

from spillway_cli.figures.text import printable

MOST_FRAMES = 4  # innermost ones, in a sentence


def parse(text):
    """{frames: bytes} of folded stacks; lines of another form are left out."""
    found = {}
    for line in text.splitlines():
        frames, _, number = line.rpartition(" ")
        if frames and number.isdecimal():
            key = tuple(frames.split(";"))
            found[key] = found.get(key, 0) + int(number)
    return found


def growth(before, after):
    """[(frames, bytes that it holds more)], the most first; of those that grew."""
    grown = [(frames, size - before.get(frames, 0)) for frames, size in after.items()]
    return sorted((one for one in grown if one[1] > 0), key=lambda one: (-one[1], one[0]))


def words(frames):
    """The innermost frames, `read_all, called by serve, called by main`."""
    shown = [printable(frame) for frame in reversed(frames)]
    text = ", called by ".join(shown[:MOST_FRAMES])
    return f"{text}, ..." if len(shown) > MOST_FRAMES else text
