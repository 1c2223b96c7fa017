"""Serves a page whose load event waits until the sum of its workers has come: /done is answered
when /sum has been asked for.  Prints its port."""
import http.server
import threading

PAGE = b"""<html><body><p id=sums></p><img src=done><script>
let left = 4, sum = 0;
const work = 'onmessage = e => { let s = 0; for (let i = 0; i < 3e6; i++) s += i % e.data; postMessage(s); }';
for (let i = 0; i < 4; i++) {
  const w = new Worker(URL.createObjectURL(new Blob([work])));
  w.onmessage = e => {
    sum += e.data;
    if (--left) return;
    document.getElementById('sums').textContent = 'sum ' + sum;
    fetch('sum');
  };
  w.postMessage(i + 3);
}
</script></body></html>"""
done = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/sum":
            done.set()
        elif self.path == "/done":
            done.wait()
        body = PAGE if self.path == "/page" else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
