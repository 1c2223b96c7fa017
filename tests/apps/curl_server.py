# A thread per connection, answers that depend on the path alone.  Writes its port to the file that
# the command line names.
import http.server
import os
import signal
import sys
import threading
import time
import zlib


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        kind, _, number = self.path[1:].partition("/")
        if kind == "file":
            n = int(number)
            self.answer(bytes((n * i) % 251 for i in range(251)) * (n * n // 2 + 1))
        elif kind == "slow":
            time.sleep(0.1)
            self.answer(b"slow")
        else:
            self.answer(b"nothing here", 404)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"crc %08x of %d bytes\n" % (zlib.crc32(body), len(body)))

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
with open(sys.argv[1] + ".new", "w") as f:
    f.write("%d\n" % server.server_port)
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
server.server_close()
