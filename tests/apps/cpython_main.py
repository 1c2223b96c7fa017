# Runs CPython's tests as `python3 -m test` does.  The variable is gone before any child starts; one
# thread comes and goes, so that the statistics show the library also where a test starts none.
# multiprocessing's children import this file again, under another name, and must not run the tests.
import os
import sys
import threading

from test import libregrtest

if __name__ == "__main__":
    os.environ.pop("GMP_STATS", None)
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    sys.argv[0] = "test"
    libregrtest.main()
