/*
 * stress: a random mix of everything a threaded program does, with exact accounting.
 *
 *   stress --seed N --seconds S [--threads N] [--mix all|GROUP|OP,...] [--verbose]
 *          [--quiet S] [--stuck S] [--log FILE] [--sabotage count|eintr|hang|crash]
 *
 * An ordinary pthread program without any header of the library: it must pass natively, and the
 * same under LD_PRELOAD. The seed gives the number of threads, the weights of the operations (a
 * quarter of them is left out, others are favoured), the shape of the channels, and each worker's
 * sequence of operations; the interleaving is the scheduler's. stress.h says why it cannot
 * deadlock by itself, watchdog.c what happens when it does all the same.
 *
 * Tests run it through run.sh. The main thread replaces workers that leave, asks the library (if
 * it is there) for its token check now and then, and settles the accounts at the end.
 */
#include "stress.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <getopt.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

__thread struct self self;

struct page *page;
struct config config = { .seed = 1, .seconds = 5, .mix = "all", .quiet_s = 10, .stuck_s = 60 };

const struct op ops[] = {
#define OP(name, weight, group) { #name, weight, group, op_##name },
#include "ops.def"
#undef OP
};
const unsigned ops_count = sizeof(ops) / sizeof(ops[0]);

static const char *const group_names[GROUPS] = {
	"io", "sync", "file", "life", "fork", "sig", "cpu"
};

struct worker {
	pthread_t t;
	pthread_mutex_t lock; /* held by whoever sends a signal, so that the thread is there */
	bool open, alive;     /* alive: to be joined, the main thread's own note */
	_Atomic bool left;
	unsigned index, born;
	struct rng rng;
};

static struct worker workers[MAX_WORKERS];
static unsigned worker_count, weights[MAX_OPS], weight_sum;
static _Atomic bool stop;
static _Atomic int running;
static sem_t leavers;

static int (*gmp_check)(void);
static int (*gmp_maxprocs)(int);
static bool resize;

/* ---- which operations ---- */

static bool in_mix(const struct op *op)
{
	char list[512], *save, *word;

	if (!strcmp(config.mix, "all"))
		return true;
	snprintf(list, sizeof(list), "%s", config.mix);
	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (!strcmp(word, op->name) || !strcmp(word, group_names[op->group]))
			return true;
	return false;
}

/* Each seed is a different program: a quarter of the rows is left out, some count eight times. */
static void draw_weights(struct rng *r)
{
	static const unsigned factor[] = { 0, 1, 1, 1, 2, 1, 8, 0 };
	bool all = !strcmp(config.mix, "all");

	for (unsigned i = 0; i < ops_count; i++) {
		unsigned f = factor[below(r, 8)];

		weights[i] = in_mix(&ops[i]) ? ops[i].weight * (all ? f : 1) : 0;
		weight_sum += weights[i];
	}
	if (weight_sum == 0) {
		weights[0] = weight_sum = 1;
		note("mix '%s' names no operation; running '%s'", config.mix, ops[0].name);
	}
}

static unsigned draw_op(struct rng *r)
{
	unsigned x = below(r, weight_sum), i = 0;

	while (x >= weights[i])
		x -= weights[i++];
	return i;
}

/* ---- workers ---- */

static void sabotage_now(void)
{
	if (!strcmp(config.sabotage, "eintr") && atomic_fetch_add(&page->sabotaged, 1) == 50)
		eintr_seen(mark(), EINTR_HANDLER, "sabotage");
	if (!strcmp(config.sabotage, "hang") && atomic_fetch_add(&page->sabotaged, 1) == 50)
		sem_wait(&(sem_t){ 0 });
	if (!strcmp(config.sabotage, "crash") && atomic_fetch_add(&page->sabotaged, 1) == 50)
		abort();
}

/* From here on nobody sends us signals, and those sent have been handled. */
static void worker_leave(struct worker *w)
{
	MUST(pthread_mutex_lock(&w->lock) == 0);
	w->open = false;
	MUST(pthread_mutex_unlock(&w->lock) == 0);
	syscall(SYS_getppid);
	self.slot->since_ns = 0;
	self.slot = NULL;
	w->left = true;
	atomic_fetch_sub(&running, 1);
	MUST(sem_post(&leavers) == 0);
}

static void *worker(void *arg)
{
	struct worker *w = arg;
	unsigned life = chance(&w->rng, 30) ? within(&w->rng, 20, 500) : ~0u;

	self.slot = &page->slots[w->index];
	self.slot->tid = syscall(SYS_gettid);
	for (unsigned i = 0; i < life && !stop; i++) {
		struct rng r = derive(rnd(&w->rng), i);
		unsigned op = draw_op(&r);

		self.rng = derive(rnd(&r), i);
		self.slot->op = op;
		self.slot->since_ns = now_ns();
		if (config.sabotage)
			sabotage_now();
		ops[op].fn(&r);
		atomic_fetch_add_explicit(&page->ops, 1, memory_order_relaxed);
		step();
	}
	worker_leave(w);
	return NULL;
}

static bool worker_start(struct worker *w)
{
	bool ok;

	w->rng = derive(config.seed * 1000003 + w->index, w->born++);
	w->left = false;
	MUST(pthread_mutex_lock(&w->lock) == 0);
	atomic_fetch_add(&running, 1);
	ok = spawn(&w->t, worker, w);
	w->open = w->alive = ok;
	MUST(pthread_mutex_unlock(&w->lock) == 0);
	if (!ok)
		atomic_fetch_sub(&running, 1);
	return ok;
}

bool worker_kill(struct rng *r, int sig)
{
	struct worker *w = &workers[below(r, worker_count)];
	union sigval v = { .sival_int = 7 };
	bool sent = false;

	if (pthread_mutex_trylock(&w->lock))
		return false;
	if (w->open)
		sent = (chance(r, 50) || sig < SIGRTMIN ? pthread_kill(w->t, sig)
							: pthread_sigqueue(w->t, sig, v)) == 0;
	pthread_mutex_unlock(&w->lock);
	return sent;
}

/* ---- the main thread ---- */

static void check_tokens(void)
{
	int rc = gmp_check ? gmp_check() : 0;

	if (rc)
		bad("gmp_check: %d: tokens are not conserved", rc);
}

/* Without a step: the main thread's own turns are no progress in the eyes of the watchdog. */
static bool wait_leaver(uint64_t until_ns)
{
	struct timespec ts = ts_of(until_ns);
	struct mark m = mark();

	if (sem_clockwait(&leavers, CLOCK_MONOTONIC, &ts) == 0)
		return true;
	if (errno == EINTR)
		eintr_seen(m, EINTR_HANDLER, "sem_clockwait");
	else
		MUST(errno == ETIMEDOUT);
	return false;
}

static void replace_leavers(void)
{
	for (unsigned i = 0; i < worker_count; i++) {
		struct worker *w = &workers[i];

		if (!w->left)
			continue;
		join(w->t);
		w->left = w->alive = false;
		if (!worker_start(w))
			note("worker %u: cannot be created again", i);
	}
}

static void run(struct rng *r)
{
	uint64_t end = now_ns() + (uint64_t)(config.seconds * 1e9);

	page->phase = PHASE_RUN;
	for (uint64_t now = now_ns(); now < end; now = now_ns()) {
		if (wait_leaver(now + 100000000 < end ? now + 100000000 : end))
			replace_leavers();
		check_tokens();
		if (resize && chance(r, 20))
			gmp_maxprocs(within(r, 1, 4));
	}
}

/* Workers leave after the operation they are in; every wait in it has its partner or its limit. */
static void wind_up(void)
{
	page->phase = PHASE_STOP;
	stop = true;
	while (running > 0)
		if (!wait_leaver(now_ns() + 100000000))
			check_tokens();
	for (unsigned i = 0; i < worker_count; i++) {
		if (workers[i].alive)
			join(workers[i].t);
	}
	drivers_stop();
}

static void settle(void)
{
	page->phase = PHASE_DRAIN;
	signal_settle();
	ledger_wait_even(LAW_THREADS, 20);
	ledger_wait_even(LAW_TSD, 20);
	chan_drain();
	sync_settle();
	file_settle();
	page->phase = PHASE_CHECK;
	check_tokens();
	ledger_check();
	chan_finish();
}

static int test(void)
{
	struct rng r = derive(config.seed, 0x5eed);
	unsigned want = config.threads, drawn = within(&r, 20, chance(&r, 30) ? 400 : 150);
	bool resize_drawn = chance(&r, 25);

	worker_count = want ? want : drawn;
	if (worker_count > MAX_WORKERS)
		worker_count = MAX_WORKERS;
	gmp_check = (int (*)(void))dlsym(RTLD_DEFAULT, "gmp_check");
	gmp_maxprocs = (int (*)(int))dlsym(RTLD_DEFAULT, "gmp_maxprocs");
	resize = gmp_maxprocs && resize_drawn && !getenv("STRESS_NO_RESIZE");
	draw_weights(&r);
	burn_calibrate();
	threads_init(worker_count * 3 + 64);
	sem_init(&leavers, 0, 0);
	if (!sync_init() || !file_init())
		return 77;
	chan_init(&r);
	signal_init(&r);
	drivers_start(&r);
	for (unsigned i = 0; i < worker_count; i++) {
		workers[i].index = i;
		pthread_mutex_init(&workers[i].lock, NULL);
		if (!worker_start(&workers[i]))
			note("worker %u: cannot be created", i);
	}
	run(&r);
	wind_up();
	settle();
	note("threads=%u ops=%llu steps=%llu forks=%llu signals=%llu eintrs=%llu "
	     "longest=%lums in %s%s",
	     worker_count, (unsigned long long)page->ops, (unsigned long long)page->progress,
	     (unsigned long long)page->forks, (unsigned long long)page->signals,
	     (unsigned long long)page->eintrs, (unsigned long)(page->longest_ns / 1000000),
	     ops[page->longest_op % ops_count].name, resize ? " resized" : "");
	return page->failed != 0;
}

/* ---- start ---- */

static void usage(void)
{
	fprintf(stderr,
		"usage: stress [--seed N] [--seconds S] [--threads N] [--mix LIST] [--verbose]\n"
		"              [--quiet S] [--stuck S] [--log FILE] [--sabotage WHAT]\n");
	exit(2);
}

static void set_option(int c)
{
	unsigned number = strtoul(optarg ? optarg : "0", NULL, 0);

	if (c == 's')
		config.seed = strtoull(optarg, NULL, 0);
	else if (c == 't')
		config.seconds = strtod(optarg, NULL);
	else if (c == 'n')
		config.threads = number;
	else if (c == 'm')
		config.mix = optarg;
	else if (c == 'l')
		config.log = optarg;
	else if (c == 'q')
		config.quiet_s = number;
	else if (c == 'k')
		config.stuck_s = number;
	else if (c == 'v')
		config.verbose = true;
	else if (c == 'b')
		config.sabotage = optarg;
	else
		usage();
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 's' },     { "seconds", 1, NULL, 't' },
		{ "threads", 1, NULL, 'n' },  { "mix", 1, NULL, 'm' },
		{ "log", 1, NULL, 'l' },      { "quiet", 1, NULL, 'q' },
		{ "stuck", 1, NULL, 'k' },    { "verbose", 0, NULL, 'v' },
		{ "sabotage", 1, NULL, 'b' }, { NULL, 0, NULL, 0 },
	};
	static char log[64];
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		set_option(c);
	if (optind < argc)
		usage();
	if (!config.log) {
		snprintf(log, sizeof(log), "/tmp/gmp-stress.%llu.log",
			 (unsigned long long)config.seed);
		config.log = log;
	}
}

static void more_descriptors(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max < 16384 ? lim.rlim_max : 16384;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

int main(int argc, char **argv)
{
	pid_t child;

	parse(argc, argv);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return 77;
	strcpy(page->dir, "/tmp/gmp-stress.XXXXXX");
	if (!mkdtemp(page->dir))
		return 77;
	more_descriptors();
	signal(SIGPIPE, SIG_IGN);
	child = fork();
	if (child < 0)
		return 77;
	if (child > 0) {
		setpgid(child, child);
		return watchdog(child);
	}
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	return test();
}
