// Boost: asio's loop in many threads with timers, sockets and strands; interruptible threads, shared
// mutexes, barriers, futures; and what the standard library has of its own.
#define BOOST_THREAD_VERSION 4
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/thread.hpp>
#include <boost/thread/barrier.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;

struct echo : std::enable_shared_from_this<echo> {
	tcp::socket s;
	char b[700];
	explicit echo(tcp::socket s) : s(std::move(s)) {}
	void go()
	{
		s.async_read_some(asio::buffer(b), [me = shared_from_this()](auto e, size_t n) {
			if (!e)
				asio::async_write(me->s, asio::buffer(me->b, n),
						  [me](auto e, size_t) { if (!e) me->go(); });
		});
	}
};

static void accept(tcp::acceptor &a)
{
	a.async_accept([&a](auto e, tcp::socket s) {
		if (e)
			return;
		std::make_shared<echo>(std::move(s))->go();
		accept(a);
	});
}

static void loop()
{
	asio::io_context io;
	tcp::acceptor a(io, { asio::ip::address_v4::loopback(), 0 });
	auto strand = asio::make_strand(io);
	std::atomic<long> bytes { 0 };
	long in_strand = 0, ticks = 0;
	accept(a);
	std::vector<std::thread> t;
	auto guard = asio::make_work_guard(io);
	for (int i = 0; i < 5; i++)
		t.emplace_back([&] { io.run(); });
	for (int i = 0; i < 20000; i++)
		asio::post(strand, [&] { in_strand++; });
	std::vector<std::unique_ptr<asio::steady_timer>> timers;
	std::promise<void> all;
	for (int i = 0; i < 50; i++) {
		timers.push_back(std::make_unique<asio::steady_timer>(io, std::chrono::milliseconds(i % 7)));
		timers[i]->async_wait(asio::bind_executor(strand, [&](auto) { if (++ticks == 50) all.set_value(); }));
	}
	std::vector<std::thread> clients;
	for (int i = 0; i < 8; i++)
		clients.emplace_back([&, i] {
			asio::io_context mine;
			tcp::socket s(mine);
			s.connect(a.local_endpoint());
			std::vector<char> out(3000 + i, 'x'), in(3000 + i);
			for (int k = 0; k < 20; k++) {
				asio::write(s, asio::buffer(out));
				bytes += asio::read(s, asio::buffer(in));
			}
		});
	for (auto &c : clients)
		c.join();
	all.get_future().wait();
	asio::post(io, [&] { a.close(); });
	guard.reset();
	for (auto &x : t)
		x.join();
	printf("asio %ld %ld %ld\n", bytes.load(), in_strand, ticks);
}

static void threads()
{
	boost::barrier barrier(6);
	boost::shared_mutex shared;
	long n = 0, seen = 0;
	boost::thread_group g;
	for (int i = 0; i < 6; i++)
		g.create_thread([&, i] {
			for (int k = 0; k < 100; k++) {
				barrier.wait();
				if (i < 2) {
					boost::unique_lock<boost::shared_mutex> l(shared);
					n++;
				} else {
					boost::shared_lock<boost::shared_mutex> l(shared);
					__atomic_fetch_add(&seen, n >= 0, __ATOMIC_RELAXED);
				}
			}
		});
	g.join_all();
	int interrupted = 0;
	boost::thread sleeper([&] {
		try {
			boost::this_thread::sleep_for(boost::chrono::hours(1));
		} catch (boost::thread_interrupted &) {
			interrupted = 1;
		}
	});
	sleeper.interrupt();
	sleeper.join();
	std::timed_mutex timed;
	timed.lock();
	bool got = std::async(std::launch::async, [&] { return timed.try_lock_for(std::chrono::milliseconds(5)); }).get();
	std::vector<std::future<long>> f;
	for (long i = 0; i < 20; i++)
		f.push_back(std::async(std::launch::async, [i] {
			std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
			if (i == 7)
				throw std::runtime_error("seven");
			return i * i;
		}));
	long sum = 0;
	for (auto &x : f)
		try {
			sum += x.get();
		} catch (std::runtime_error &) {
			sum += 100000;
		}
	std::atomic<int> flag { 0 };
	// Each waits until the other has changed the flag: nobody can run ahead.
	std::thread waits([&] { for (int i = 0; i < 500; i++) { flag.wait(0); flag.store(0); flag.notify_one(); } });
	for (int i = 0; i < 500; i++) {
		flag.store(1);
		flag.notify_one();
		flag.wait(1);
	}
	waits.join();
	printf("threads %ld %ld %d %d %ld\n", n, seen, interrupted, got, sum);
}

int main()
{
	loop();
	threads();
}
