// Threads, monitors, the thread pool, tasks, timers, child processes; results known in advance.
using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

static class Work
{
	static void Threads(int n, Action<int> job)
	{
		var t = Enumerable.Range(0, n).Select(i => new Thread(() => job(i))).ToArray();
		foreach (var x in t) x.Start();
		foreach (var x in t) x.Join();
	}

	static int Fib(int n) { return n < 2 ? n : Fib(n - 1) + Fib(n - 2); }

	static void Main()
	{
		int counter = 0, turn = 0;
		object key = new object();
		Threads(12, me => { for (int i = 0; i < 3000; i++) lock (key) counter++; });
		Threads(5, me => {
			for (int i = 0; i < 100; i++) lock (key) {
				while (turn % 5 != me) Monitor.Wait(key);
				turn++;
				Monitor.PulseAll(key);
			}
		});
		Console.WriteLine("monitors {0} {1}", counter, turn);
		var queue = new BlockingCollection<int>(8);
		long sum = 0;
		Threads(8, me => { for (int i = 0; i < 200; i++) if (me % 2 == 0) queue.Add(i); else Interlocked.Add(ref sum, queue.Take()); });
		Console.WriteLine("queue {0}", sum);
		var tasks = Enumerable.Range(0, 30).Select(i => Task.Run(() => Fib(15 + i % 8))).ToArray();
		Task.WaitAll(tasks);
		Console.WriteLine("tasks {0}", tasks.Sum(t => t.Result));
		long kept = 0;
		Parallel.For(0, 16, i => {
			var keep = new byte[50][];
			for (int k = 0; k < 5000; k++) keep[k % 50] = new byte[500 + i];
			Interlocked.Add(ref kept, keep.Sum(b => (long)b.Length));
		});
		GC.Collect();
		Console.WriteLine("garbage {0}", kept);
		using (var ticks = new CountdownEvent(20))
		using (new Timer(_ => { if (ticks.CurrentCount > 0) try { ticks.Signal(); } catch (InvalidOperationException) { } }, null, 1, 2))
			ticks.Wait();
		var listener = new TcpListener(IPAddress.Loopback, 0);
		listener.Start();
		int port = ((IPEndPoint)listener.LocalEndpoint).Port, got = 0;
		new Thread(() => {
			for (int i = 0; i < 8; i++) {
				var c = listener.AcceptTcpClient();
				ThreadPool.QueueUserWorkItem(_ => { using (c) c.GetStream().CopyTo(c.GetStream()); });
			}
		}).Start();
		Threads(8, me => {
			using (var c = new TcpClient("127.0.0.1", port)) {
				c.GetStream().Write(new byte[4000 + me], 0, 4000 + me);
				c.Client.Shutdown(SocketShutdown.Send);
				var m = new MemoryStream();
				c.GetStream().CopyTo(m);
				Interlocked.Add(ref got, (int)m.Length);
			}
		});
		Console.WriteLine("sockets {0}", got);
		var p = Process.Start(new ProcessStartInfo("sh", "-c 'echo out; exit 3'") { UseShellExecute = false, RedirectStandardOutput = true });
		Console.WriteLine("child {0} {1}", p.StandardOutput.ReadToEnd().Trim(), Run(p));
	}

	static int Run(Process p) { p.WaitForExit(); return p.ExitCode; }
}
