# Many threads ask a name server, by UDP and by TCP, for names whose addresses are known.
import socket
import struct
import sys
import threading

port = int(sys.argv[1])
right, wrong = [], []


def query(n, ident):
    name = b"".join(bytes([len(p)]) + p for p in (b"h%d" % n, b"test")) + b"\0"
    return struct.pack(">HHHHHH", ident, 0, 1, 0, 0, 0) + name + b"\0\1\0\1"


def check(n, ident, answer):
    if answer[:2] != struct.pack(">H", ident) or bytes([10, 0, n % 7, n]) not in answer:
        raise AssertionError("h%d: %r" % (n, answer))


def work(me):
    try:
        for rnd in range(3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
                u.connect(("127.0.0.1", port))
                u.settimeout(20)
                for n in range(1, 201):
                    u.send(query(n, me * 256 + n))
                    check(n, me * 256 + n, u.recv(4096))
            with socket.create_connection(("127.0.0.1", port)) as t:
                f = t.makefile("rb")
                for n in range(1, 201, 10):
                    q = query(n, me * 256 + n)
                    t.sendall(struct.pack(">H", len(q)) + q)
                    check(n, me * 256 + n, f.read(struct.unpack(">H", f.read(2))[0]))
        right.append(me)
    except Exception as e:  # the thread must not die silently
        wrong.append("thread %d: %r" % (me, e))


threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for w in wrong:
    print(w, file=sys.stderr)
print("right", sorted(right))
sys.exit(1 if wrong else 0)
