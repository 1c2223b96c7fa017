# Products, factors and solutions of matrices large enough for threads, also from several threads.
import hashlib
import threading

import numpy

rng = numpy.random.default_rng(20)
a = rng.standard_normal((500, 500))
b = rng.standard_normal((500, 500))


def work():
    c = a @ b
    parts = [c, numpy.linalg.solve(a, b), numpy.linalg.cholesky(a @ a.T + 500 * numpy.eye(500)),
             numpy.linalg.svd(a[:150, :150])[1], (a.astype(numpy.float32) @ b.astype(numpy.float32))]
    for i in range(60):
        parts.append(a[:70, :80] @ b[:80, i:i + 90])
        parts.append(a @ b[:, i])
    return hashlib.md5(b"".join(p.tobytes() for p in parts)).hexdigest()


print(work())
answers = []
threads = [threading.Thread(target=lambda: answers.append(work())) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(set(answers)), answers[0] == work())
