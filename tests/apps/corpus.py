# Prints N bytes that are the same every time and neither random nor too regular: words, numbers and
# now and then a block that cannot be compressed.
import random
import sys

size = int(sys.argv[1])
rng = random.Random(20)
words = ["".join(rng.choices("etaoinshrdlu", k=rng.randrange(2, 11))) for _ in range(3000)]
parts, have = [], 0
pages = [" ".join(rng.choices(words, k=4000)).encode() for _ in range(40)]
while have < size:
    part = rng.randbytes(30000) if rng.random() < 0.1 else rng.choice(pages)
    cut = rng.randrange(len(part) // 2)
    parts += [part[cut:], b"\n%d\n" % have]
    have += len(part) - cut
sys.stdout.buffer.write(b"".join(parts)[:size])
