// TBB: parallel loops, pipelines, flow graphs, arenas smaller than the machine, tasks in tasks.
#include <atomic>
#include <cstdio>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include <oneapi/tbb.h>

static long fib(long n)
{
	if (n < 16)
		return n < 2 ? n : fib(n - 1) + fib(n - 2);
	long a, b;
	tbb::task_group g;
	g.run([&] { a = fib(n - 1); });
	b = fib(n - 2);
	g.wait();
	return a + b;
}

static void work()
{
	std::vector<long> v(300000);
	tbb::parallel_for(size_t(0), v.size(), [&](size_t i) { v[i] = long(i * 7919 % 1000003); });
	long sum = tbb::parallel_reduce(
		tbb::blocked_range<size_t>(0, v.size()), 0l,
		[&](auto r, long s) { return std::accumulate(&v[r.begin()], &v[r.begin()] + r.size(), s); },
		std::plus<long>());
	tbb::parallel_sort(v.begin(), v.end());
	bool sorted = std::is_sorted(v.begin(), v.end());
	long next = 0, piped = 0;
	tbb::parallel_pipeline(
		8, tbb::make_filter<void, long>(tbb::filter_mode::serial_in_order,
						[&](tbb::flow_control &f) {
							if (next == 2000)
								f.stop();
							return next++;
						}) &
			   tbb::make_filter<long, long>(tbb::filter_mode::parallel,
							[](long x) { return x * x % 1009; }) &
			   tbb::make_filter<long, void>(tbb::filter_mode::serial_in_order,
							[&](long x) { piped = (piped * 31 + x) % 1000003; }));
	tbb::flow::graph g;
	std::atomic<long> flowed { 0 };
	tbb::flow::function_node<long, long> twice(g, tbb::flow::unlimited, [](long x) { return 2 * x; });
	tbb::flow::function_node<long> add(g, 1, [&](long x) { flowed += x; return x; });
	tbb::flow::make_edge(twice, add);
	for (long i = 0; i < 1000; i++)
		twice.try_put(i);
	g.wait_for_all();
	tbb::spin_mutex m;
	long locked = 0;
	tbb::parallel_for(0, 20000, [&](int) {
		tbb::spin_mutex::scoped_lock l(m);
		locked++;
	});
	printf("%ld %d %ld %ld %ld %ld\n", sum, sorted, piped, flowed.load(), locked, fib(27));
}

int main()
{
	tbb::global_control many(tbb::global_control::max_allowed_parallelism, 6);
	tbb::task_arena small(3), large(6);
	small.execute(work);
	large.execute(work);
	std::vector<std::thread> t;
	std::atomic<long> sum { 0 };
	for (int i = 0; i < 4; i++)
		t.emplace_back([&] { tbb::task_arena a(4); a.execute([&] { sum += fib(24); }); });
	for (auto &x : t)
		x.join();
	printf("%ld\n", sum.load());
}
