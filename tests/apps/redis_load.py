# A load for redis that knows every answer in advance: ten connections with deep pipelines on keys
# of their own, transactions, blocking pops between pairs of connections, publish and subscribe.
import socket
import sys
import threading

CONNECTIONS, ROUNDS, DEPTH = 8, 3, 120
path = sys.argv[1]
wrong, answers = [], [0] * CONNECTIONS


class Client:
    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb", buffering=1 << 16)

    def send(self, *args):
        return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args)

    def answer(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.answer() for _ in range(int(rest))]
        return int(rest) if kind == b":" else line[:-2]

    def ask(self, want, *args):
        self.many([(want, args)])

    def many(self, pairs):
        """All requests in one go, then all answers."""
        self.sock.sendall(b"".join(self.send(*args) for _, args in pairs))
        for want, args in pairs:
            got = self.answer()
            if got != want:
                raise AssertionError("%.60r: want %.60r, got %.60r" % (args, want, got))


def value(number, i):
    return bytes((number + i + j) % 256 for j in range(1 + i * 37 % 2000)) + b"\r\n$-1\r\n"


def a_round(c, number, rnd):
    key = [b"k:%d:%d" % (number, i) for i in range(DEPTH)]
    data = [value(number + rnd, i) for i in range(DEPTH)]
    pairs = []
    for k, d in zip(key, data):
        pairs += [(b"+OK", (b"SET", k, d)), (d, (b"GET", k)), (len(d), (b"STRLEN", k))]
    c.many(pairs)
    c.ask(data, b"MGET", *key)
    c.many([(b"+OK", (b"MULTI",)), (b"+QUEUED", (b"RPUSH", b"l:%d" % number, b"a", b"b")),
            (b"+QUEUED", (b"LPOP", b"l:%d" % number)), (b"+QUEUED", (b"DEL", b"l:%d" % number)),
            ([2, b"a", 1], (b"EXEC",))])
    c.many([(1, (b"UNLINK", k)) for k in key[::3]])
    # One connection of a pair blocks until the other one pushes.
    mine, other = b"q:%d" % number, b"q:%d" % (number ^ 1)
    for i in range(10):
        if number % 2:
            c.ask([mine, b"%d" % i], b"BLPOP", mine, b"0")
            c.ask(1, b"RPUSH", other, b"%d" % i)
        else:
            c.ask(1, b"RPUSH", other, b"%d" % i)
            c.ask([mine, b"%d" % i], b"BLPOP", mine, b"0")
    c.many([(rnd * 50 + i + 1, (b"INCR", b"n:%d" % number)) for i in range(50)])
    c.sock.sendall(b"".join(c.send(b"INCRBY", b"shared", b"2") for _ in range(50)))
    if not all(isinstance(c.answer(), int) for _ in range(50)):
        raise AssertionError("INCRBY: not a number")


def work(number):
    try:
        c = Client()
        for rnd in range(ROUNDS):
            a_round(c, number, rnd)
            answers[number] += 1
    except Exception as e:  # the thread must not die silently
        wrong.append("connection %d: %s" % (number, e))


threads = [threading.Thread(target=work, args=(i,)) for i in range(CONNECTIONS)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for w in wrong:
    print(w, file=sys.stderr)
Client().ask(b"%d" % (CONNECTIONS * ROUNDS * 100), b"GET", b"shared")
listener, speaker = Client(), Client()
listener.ask([b"subscribe", b"news", 1], b"SUBSCRIBE", b"news")
speaker.many([(1, (b"PUBLISH", b"news", b"%d" % i)) for i in range(500)])
heard = [listener.answer()[2] for _ in range(500)]
print("rounds", sum(answers), "news in order:", heard == [b"%d" % i for i in range(500)])
sys.exit(1 if wrong else 0)
