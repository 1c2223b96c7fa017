// Threads, monitors, java.util.concurrent, timed waits, parallel streams, NIO, child processes, and
// garbage for a parallel collector.  Every result is known whatever the order of things.
import java.io.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;
import java.util.stream.*;

public class Work {
	static int counter;
	static final Object monitor = new Object();

	interface Job { void run(int i) throws Exception; }

	static void threads(int n, Job job) throws Exception {
		List<Throwable> bad = Collections.synchronizedList(new ArrayList<>());
		Thread[] t = new Thread[n];
		for (int i = 0; i < n; i++) {
			int me = i;
			t[i] = new Thread(() -> {
				try {
					job.run(me);
				} catch (Throwable e) {
					bad.add(e);
				}
			});
			t[i].start();
		}
		for (Thread x : t)
			x.join();
		if (!bad.isEmpty())
			throw new Exception(bad.get(0));
	}

	static void monitors() throws Exception {
		threads(16, me -> {
			for (int i = 0; i < 5000; i++)
				synchronized (monitor) {
					counter++;
				}
		});
		int[] turn = { 0 };
		threads(6, me -> {
			for (int i = 0; i < 200; i++)
				synchronized (turn) {
					while (turn[0] % 6 != me)
						turn.wait();
					turn[0]++;
					turn.notifyAll();
				}
		});
		System.out.println("monitors " + counter + " " + turn[0]);
	}

	static void concurrent() throws Exception {
		BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(8);
		AtomicLong sum = new AtomicLong();
		threads(12, me -> {
			for (int i = 0; i < 500; i++)
				if (me % 2 == 0)
					queue.put(i);
				else
					sum.addAndGet(queue.take());
		});
		Lock lock = new ReentrantLock(true);
		CyclicBarrier barrier = new CyclicBarrier(8);
		int[] n = { 0 };
		threads(8, me -> {
			for (int i = 0; i < 100; i++) {
				lock.lock();
				n[0]++;
				lock.unlock();
				barrier.await();
			}
		});
		ScheduledExecutorService timer = Executors.newScheduledThreadPool(3);
		CountDownLatch ticks = new CountDownLatch(30);
		timer.scheduleAtFixedRate(ticks::countDown, 0, 2, TimeUnit.MILLISECONDS);
		ticks.await();
		timer.shutdownNow();
		timer.awaitTermination(20, TimeUnit.SECONDS);
		System.out.println("concurrent " + sum + " " + n[0]);
	}

	static long fib(int n) {
		return n < 2 ? n : fib(n - 1) + fib(n - 2);
	}

	static void parallel() throws Exception {
		long squares = LongStream.range(0, 300000).parallel().map(i -> i * i % 1000003).sum();
		ForkJoinPool pool = new ForkJoinPool(5);
		class F extends RecursiveTask<Long> {
			final int n;
			F(int n) { this.n = n; }
			protected Long compute() {
				if (n < 15)
					return fib(n);
				F a = new F(n - 1);
				a.fork();
				return new F(n - 2).compute() + a.join();
			}
		}
		long f = pool.invoke(new F(26));
		pool.shutdown();
		List<Future<Integer>> garbage = new ArrayList<>();
		ExecutorService many = Executors.newFixedThreadPool(6);
		for (int i = 0; i < 24; i++) {
			int me = i;
			garbage.add(many.submit(() -> {
				Map<Integer, byte[]> keep = new HashMap<>();
				for (int k = 0; k < 4000; k++)
					keep.put(k % 97, new byte[1000 + me]);
				return keep.values().stream().mapToInt(b -> b.length).sum();
			}));
		}
		int total = 0;
		for (Future<Integer> g : garbage)
			total += g.get();
		many.shutdown();
		System.gc();
		System.out.println("parallel " + squares + " " + f + " " + total);
	}

	static void sockets() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
			Thread t = new Thread(() -> {
				try {
					for (;;) {
						Socket s = server.accept();
						new Thread(() -> {
							try (s) {
								s.getInputStream().transferTo(s.getOutputStream());
							} catch (IOException e) {
								e.printStackTrace();
							}
						}).start();
					}
				} catch (IOException closed) {
				}
			});
			t.start();
			AtomicLong bytes = new AtomicLong();
			threads(10, me -> {
				try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) {
					s.getOutputStream().write(new byte[3000 + me]);
					s.shutdownOutput();
					bytes.addAndGet(s.getInputStream().readAllBytes().length);
				}
			});
			server.close();
			t.join();
			System.out.println("sockets " + bytes);
		}
		Pipe pipe = Pipe.open();
		Selector selector = Selector.open();
		pipe.source().configureBlocking(false);
		pipe.source().register(selector, SelectionKey.OP_READ);
		Thread w = new Thread(() -> {
			try {
				for (int i = 0; i < 50; i++)
					pipe.sink().write(ByteBuffer.wrap(new byte[100]));
				pipe.sink().close();
			} catch (IOException e) {
				e.printStackTrace();
			}
		});
		w.start();
		long got = 0;
		for (long r = 0; r >= 0; got += Math.max(r, 0)) {
			selector.select();
			selector.selectedKeys().clear();
			r = pipe.source().read(ByteBuffer.allocate(333));
		}
		w.join();
		System.out.println("nio " + got);
	}

	static void waits() throws Exception {
		AtomicInteger interrupted = new AtomicInteger();
		Thread[] t = new Thread[8];
		for (int i = 0; i < t.length; i++) {
			int me = i;
			t[i] = new Thread(() -> {
				try {
					if (me % 2 == 0)
						Thread.sleep(1000000);
					synchronized (t) {
						t.wait();
					}
				} catch (InterruptedException e) {
					interrupted.incrementAndGet();
				}
			});
			t[i].start();
		}
		for (Thread x : t)
			x.interrupt();
		for (Thread x : t)
			x.join();
		int late = 0;
		for (int i = 0; i < 20; i++) {
			long began = System.nanoTime();
			LockSupport.parkNanos(3000000);
			Thread.sleep(3);
			if (System.nanoTime() - began < 3000000)
				late++;
		}
		StringBuilder out = new StringBuilder();
		for (int i = 0; i < 3; i++) {
			Process p = new ProcessBuilder("sh", "-c", "cat; echo " + i).start();
			p.getOutputStream().write(65);
			p.getOutputStream().close();
			out.append(new String(p.getInputStream().readAllBytes()).trim()).append(p.waitFor());
		}
		System.out.println("waits " + interrupted + " " + late + " " + out);
	}

	public static void main(String[] args) throws Exception {
		monitors();
		concurrent();
		parallel();
		sockets();
		waits();
	}
}
