# A load for memcached that knows every answer in advance.  Twelve connections work on keys of their
# own, so each answer is certain whatever the server's threads do; one counter is shared by all, so
# a lost update shows.  Values hold every byte, line ends and protocol words included.
import socket
import sys
import threading

CONNECTIONS, ROUNDS, KEYS = 12, 12, 40
port = int(sys.argv[1])
wrong = []


class Client:
    def __init__(self):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb", buffering=1 << 16)
        self.answers = 0

    def ask(self, request, *answers):
        """Sends one request, or several at once, and compares the whole answer."""
        self.sock.sendall(request)
        self.expect(*answers)

    def expect(self, *answers):
        for answer in answers:
            got = self.file.read(len(answer))
            if got != answer:
                raise AssertionError("want %.80r, got %.80r" % (answer, got))
            self.answers += 1


def value(number, rnd, key):
    size = 1 + (number * 7919 + rnd * 104729 + key * 1299709) % 3000
    if key == 0:
        size = 300000
    seed = bytes((number + rnd + key + i) % 256 for i in range(256)) + b"\r\nEND\r\nVALUE x 0 1\r\n"
    return (seed * (size // len(seed) + 1))[:size]


def a_round(c, number, rnd):
    name = [b"k-%d-%d" % (number, k) for k in range(KEYS)]
    data = [value(number, rnd, k) for k in range(KEYS)]
    # Many requests in flight, then one that asks for everything.
    c.sock.sendall(b"".join(b"set %s %d 0 %d\r\n%s\r\n" % (n, rnd, len(d), d)
                            for n, d in zip(name, data)))
    c.expect(*[b"STORED\r\n"] * KEYS)
    c.ask(b"get " + b" ".join(name) + b"\r\n",
          *[b"VALUE %s %d %d\r\n%s\r\n" % (n, rnd, len(d), d) for n, d in zip(name, data)],
          b"END\r\n")
    for n, d in zip(name[1:9], data[1:9]):
        c.ask(b"append %s 0 0 3\r\n\r\n!\r\n" % n, b"STORED\r\n")
        c.ask(b"add %s 0 0 1\r\nx\r\n" % n, b"NOT_STORED\r\n")
        c.ask(b"get %s\r\n" % n, b"VALUE %s %d %d\r\n%s\r\n!\r\nEND\r\n" % (n, rnd, len(d) + 3, d))
        c.ask(b"delete %s\r\n" % n, b"DELETED\r\n")
        c.ask(b"get %s\r\n" % n, b"END\r\n")
    c.ask(b"set n%d 0 0 1\r\n5\r\n" % number, b"STORED\r\n")
    for i in range(20):
        c.ask(b"incr n%d 3\r\n" % number, b"%d\r\n" % (5 + 3 * (i + 1)))
    c.sock.sendall(b"incr shared 1 noreply\r\n" * 25)


def work(number, start):
    try:
        c = Client()
        start.wait()
        for rnd in range(ROUNDS):
            a_round(c, number, rnd)
        c.ask(b"verbosity 0\r\n", b"OK\r\n")
        answers[number] = c.answers
    except Exception as e:  # the thread must not die silently
        wrong.append("connection %d: %s" % (number, e))


answers = [0] * CONNECTIONS
control = Client()
control.ask(b"set shared 0 0 1\r\n0\r\n", b"STORED\r\n")
start = threading.Barrier(CONNECTIONS)
threads = [threading.Thread(target=work, args=(i, start)) for i in range(CONNECTIONS)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for w in wrong:
    print(w, file=sys.stderr)
total = b"%d" % (CONNECTIONS * ROUNDS * 25)
control.ask(b"get shared\r\n", b"VALUE shared 0 %d\r\n%s\r\nEND\r\n" % (len(total), total))
# Connections that come and go, with the last byte of an answer still under way.
for i in range(200):
    c = Client()
    c.ask(b"get k-1-1 k-1-20\r\n" if i % 2 else b"incr shared 1\r\n")
    c.sock.close()
print("checked answers:", sum(answers))
sys.exit(1 if wrong else 0)
