# Runs CPython's tests as `python3 -m test` does.  The variable is gone before any child starts; one
# thread comes and goes, so that the statistics show the library also where a test starts none.
import os
import sys
import threading

os.environ.pop("GMP_STATS", None)
thread = threading.Thread(target=int)
thread.start()
thread.join()

from test import libregrtest

sys.argv[0] = "test"
libregrtest.main()
