"""What the scripts of clients have in common: things that hold, in their order, and the words to say them with."""

import sys
import time

_things = []


def thing(function):
    """One thing; its name says what holds."""
    _things.append(function)
    return function


def is_(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def until(what, ask, seconds=30):
    """What `ask` answers once it answers something. It is asked again and again, for so long at the most."""
    end = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.1)


def run():
    """Does all of them. A line is printed for each that held; the first that does not ends the script with its traceback."""
    for function in _things:
        function()
        print(function.__name__.replace("_", " "), flush=True)
    print(f"{len(_things)} held")
    sys.stdout.flush()
