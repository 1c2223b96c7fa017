/* Victim: C++.  thread_local objects whose destructors lock and read, exceptions that cross
 * blocking calls, call_once, futures, condition variables, and cancellation through C++ frames. */
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static int fds[2];
static std::mutex mutex;
static std::atomic<int> destroyed, unwound, inits;
static std::atomic<bool> stop;

struct blocks_when_destroyed {
	int value = 1;
	~blocks_when_destroyed()
	{
		char c;
		std::lock_guard<std::mutex> l(mutex);
		destroyed += read(fds[0], &c, 1) == 1 ? value : 100;
	}
};
static thread_local blocks_when_destroyed local;

struct counts_when_unwound {
	~counts_when_unwound()
	{
		unwound++;
	}
};

static void throws_after_read()
{
	counts_when_unwound c;
	char b;

	if (read(fds[0], &b, 1) == 1)
		throw std::runtime_error("after the read");
}

static void uses_local()
{
	local.value = 2;
	try {
		throws_after_read();
	} catch (const std::runtime_error &) {
		unwound += 10;
	}
}

static void *cancelled_in_cpp(void *)
{
	counts_when_unwound c;
	int p[2];
	char b;

	if (pipe(p) == 0)
		while (read(p[0], &b, 1) >= 0)
			;
	return nullptr;
}

int main()
{
	std::thread hog([] {
		unsigned long x = 1;
		while (!stop)
			x = x * 3 + 1;
	});
	std::vector<std::thread> threads;
	std::condition_variable cv;
	std::once_flag once;
	bool ready = false;
	void *res;
	pthread_t t;

	if (pipe(fds) != 0)
		return 1;
	for (int i = 0; i < 4; i++)
		threads.emplace_back(uses_local);
	for (int i = 0; i < 8; i++)
		if (write(fds[1], "x", 1) != 1)
			return 1;
	for (auto &th : threads)
		th.join();
	printf("destroyed %d unwound %d\n", destroyed.load(), unwound.load());

	auto f = std::async(std::launch::async, [&] {
		std::unique_lock<std::mutex> l(mutex);
		cv.wait(l, [&] { return ready; });
		std::call_once(once, [] { inits++; });
		return 42;
	});
	{
		std::lock_guard<std::mutex> l(mutex);
		ready = true;
	}
	cv.notify_all();
	printf("future %d\n", f.get());
	std::call_once(once, [] { inits++; });
	printf("inits %d\n", inits.load());

	unwound = 0;
	pthread_create(&t, nullptr, cancelled_in_cpp, nullptr);
	pthread_cancel(t);
	pthread_join(t, &res);
	printf("cancelled %d unwound %d\n", res == PTHREAD_CANCELED, unwound.load());
	stop = true;
	hog.join();
	return 0;
}
