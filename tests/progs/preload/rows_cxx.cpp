/* What blocks in libstdc++, for the rows of rows_cxx.c: three functions a kind, call, and where one
 * exists hold and release.  libstdc++ waits by pthread functions, and by syscall(2) for the
 * semaphores, latches, barriers, atomics and guards of C++20.
 */
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <fstream>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <thread>

extern "C" void cxx_wait_for_go();

#define KIND(kind, what, ...) \
	extern "C" void cxx_##kind##_##what(); \
	void cxx_##kind##_##what() \
	{ \
		__VA_ARGS__; \
	}
#define LOCK(kind, type) \
	static type kind; \
	KIND(kind, hold, kind.lock()) \
	KIND(kind, release, kind.unlock()) \
	KIND(kind, call, kind.lock(); kind.unlock())

LOCK(mutex, std::mutex)
LOCK(timed_mutex, std::timed_mutex)
LOCK(recursive_mutex, std::recursive_mutex)
LOCK(shared_mutex, std::shared_mutex)

static std::shared_mutex shared;
KIND(shared_lock, hold, shared.lock())
KIND(shared_lock, release, shared.unlock())
KIND(shared_lock, call, std::shared_lock<std::shared_mutex> l(shared))

KIND(try_lock_for, hold, timed_mutex.lock())
KIND(try_lock_for, release, timed_mutex.unlock())
KIND(try_lock_for, call, if (timed_mutex.try_lock_for(std::chrono::hours(1))) timed_mutex.unlock())

static std::condition_variable cond;
static std::condition_variable_any cond_any;
static bool ready;
KIND(cond, release, std::lock_guard<std::mutex> l(mutex); ready = true; cond.notify_all())
KIND(cond, call, std::unique_lock<std::mutex> l(mutex); cond.wait(l, [] { return ready; }))
KIND(cond_any, release, std::lock_guard<std::mutex> l(mutex); ready = true; cond_any.notify_all())
KIND(cond_any, call, std::unique_lock<std::mutex> l(mutex); cond_any.wait(l, [] { return ready; }))

static std::promise<int> promise;
KIND(future, release, promise.set_value(1))
KIND(future, call, promise.get_future().get())
KIND(async, release, promise.set_value(1))
KIND(async, call,
     std::async(std::launch::async, [] { return promise.get_future().get(); }).get())
KIND(thread_join, release, promise.set_value(1))
KIND(thread_join, call, std::thread([] { promise.get_future().wait(); }).join())

static std::counting_semaphore<8> semaphore(0);
KIND(semaphore, release, semaphore.release())
KIND(semaphore, call, semaphore.acquire())
static std::latch latch(1);
KIND(latch, release, latch.count_down())
KIND(latch, call, latch.wait())
static std::barrier<> barrier(2);
KIND(barrier, release, (void)barrier.arrive())
KIND(barrier, call, barrier.arrive_and_wait())
static std::atomic<int> word;
KIND(atomic_wait, release, word = 1; word.notify_all())
KIND(atomic_wait, call, word.wait(0))
static std::atomic_flag flag;
KIND(atomic_flag, release, flag.test_and_set(); flag.notify_all())
KIND(atomic_flag, call, flag.wait(false))

/* Another thread is in the initialiser. */
struct slow {
	slow()
	{
		cxx_wait_for_go();
	}
};
static void guarded()
{
	static slow s;
}
KIND(guard, hold, guarded())
KIND(guard, call, guarded())
static std::once_flag once;
KIND(call_once, hold, std::call_once(once, cxx_wait_for_go))
KIND(call_once, call, std::call_once(once, cxx_wait_for_go))

extern "C" long cxx_getline(const char *path);
long cxx_getline(const char *path)
{
	std::ifstream in(path);
	std::string line;

	std::getline(in, line);
	return line.size();
}
