/*
 * Credits and drivers: why a worker that waits on a channel is sure to be served.
 *
 * Plain channels. `msgs` counts messages that exist or that a sender has promised; `space` counts
 * room that exists or that a receiver has promised. A sender takes a space credit, publishes a
 * message credit, dawdles, sends. A receiver takes a message credit, publishes a space credit,
 * dawdles, receives. Nobody who has published waits for anything but this channel, and a channel
 * cannot be full and empty at once, so one of the two can always go on. Credits are published
 * before the act so that both sides really block.
 *
 * Driven channels. A receiver orders a message and waits; driver threads see to the orders after
 * delays of their own, in bunches. Here hundreds can wait at a time, and are woken in storms.
 *
 * At the end the workers are gone, so every promise has been kept: `msgs` messages are left, which
 * chan_drain() takes without waiting.
 */
#include "chan.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_KIND 4
#define DRIVERS 3

static const struct kind *const kinds[] = {
	&kind_pipe,   &kind_page,    &kind_fifo, &kind_stdio, &kind_stream, &kind_dgram,
	&kind_seq,    &kind_eventfd, &kind_msgq, &kind_mq,    &kind_semv,   &kind_sem,
	&kind_sigsem, &kind_cond,    &kind_cnd,	 &kind_futex,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct chan chans[KINDS * PER_KIND];
static unsigned chan_count;
static sem_t ordered;
static pthread_t drivers[DRIVERS];
static struct rng driver_rng[DRIVERS];
static _Atomic bool drivers_end;
static _Atomic uint64_t serial;

/* ---- messages ---- */

static uint64_t mix(uint64_t a)
{
	struct rng r = { a };

	return rnd(&r);
}

static void msg_make(struct chan *c, struct msg *m)
{
	uint64_t id = atomic_fetch_add(&serial, 1), value = mix(id ^ config.seed) >> 8;
	char line[CHAN_MSG + 1];

	snprintf(line, sizeof(line), "%04x %016llx %016llx %016llx        \n", c->index,
		 (unsigned long long)id, (unsigned long long)value,
		 (unsigned long long)mix(id + value + c->index));
	memcpy(m->buf, line, CHAN_MSG);
	if (c->kind->size > CHAN_MSG)
		memset(m->buf + CHAN_MSG, 'a' + value % 26, c->kind->size - CHAN_MSG);
	gave(LAW_VALUES, value);
}

static void msg_check(struct chan *c, const struct msg *m)
{
	unsigned index = 0;
	unsigned long long id = 0, value = 0, sum = 0;
	char line[CHAN_MSG + 1];

	memcpy(line, m->buf, CHAN_MSG);
	line[CHAN_MSG] = 0;
	if (sscanf(line, "%4x %16llx %16llx %16llx", &index, &id, &value, &sum) != 4 ||
	    index != (unsigned)c->index || sum != mix(id + value + index)) {
		bad("%s %d: broken message '%.60s'", c->kind->name, c->index, line);
		return;
	}
	for (size_t i = CHAN_MSG; i < c->kind->size; i++) {
		if (m->buf[i] != (char)('a' + value % 26)) {
			bad("%s %d: message %llu broken at byte %zu", c->kind->name, c->index, id,
			    i);
			return;
		}
	}
	took(LAW_VALUES, value);
}

/* ---- credits ---- */

static bool take(_Atomic int *credit)
{
	int n = *credit;

	while (n > 0)
		if (atomic_compare_exchange_weak(credit, &n, n - 1))
			return true;
	return false;
}

static void put_msg(struct chan *c, struct rng *r)
{
	struct msg m;

	if (c->kind->size)
		msg_make(c, &m);
	gave(c->kind->law, 1);
	if (config.sabotage && !strcmp(config.sabotage, "count") && c->kind->law == LAW_SEM &&
	    atomic_fetch_add(&page->sabotaged, 1) == 20)
		gave(c->kind->law, 1);
	c->kind->send(c, r, &m);
	step();
}

static void get_msg(struct chan *c, struct rng *r)
{
	struct msg m;

	c->kind->recv(c, r, &m);
	took(c->kind->law, 1);
	if (c->kind->size)
		msg_check(c, &m);
	step();
}

static bool try_send(struct chan *c, struct rng *r)
{
	if (!take(&c->space))
		return false;
	atomic_fetch_add(&c->msgs, 1);
	dawdle(r);
	put_msg(c, r);
	return true;
}

static bool try_recv(struct chan *c, struct rng *r)
{
	if (!take(&c->msgs))
		return false;
	atomic_fetch_add(&c->space, 1);
	dawdle(r);
	get_msg(c, r);
	return true;
}

static void order(struct chan *c)
{
	gave(LAW_ORDERS, 1);
	atomic_fetch_add(&c->orders, 1);
	MUST(sem_post(&ordered) == 0);
}

static struct chan *pick(const struct kind *kind, struct rng *r)
{
	unsigned at = below(r, PER_KIND);

	for (unsigned i = 0; i < chan_count; i++)
		if (chans[i].kind == kind && at-- == 0)
			return &chans[i];
	return NULL;
}

/* One turn of a worker at a kind. A kind that this host lacks is a step and nothing more. */
static void turn(const struct kind *kind, struct rng *r)
{
	struct chan *c = pick(kind, r);
	bool send = chance(r, 50);

	if (c && c->driven) {
		order(c);
		get_msg(c, r);
	} else if (c && kind == &kind_sigsem) {
		if (!take(&c->msgs))
			sig_post();
		else
			get_msg(c, r);
	} else if (!c || (!(send ? try_send(c, r) : try_recv(c, r)) &&
			  !(send ? try_recv(c, r) : try_send(c, r)))) {
		nap(within(r, 50000, 1000000));
	}
	step();
}

#define TURN(kind) \
	void op_##kind(struct rng *r) \
	{ \
		turn(&kind_##kind, r); \
	}
TURN(pipe)
TURN(page)
TURN(fifo)
TURN(stdio)
TURN(stream)
TURN(dgram)
TURN(seq)
TURN(eventfd)
TURN(msgq)
TURN(mq)
TURN(semv)
TURN(sem)
TURN(sigsem)
TURN(cond)
TURN(cnd)
TURN(futex)

/* From a handler as well: a post, no lock, no wait. The credit comes last: posted is promised. */
void sig_post(void)
{
	for (unsigned i = 0; i < chan_count; i++) {
		if (chans[i].kind != &kind_sigsem)
			continue;
		if (chans[i].msgs > 1000000)
			continue;
		gave(LAW_SIGSEM, 1);
		kind_sigsem.send(&chans[i], NULL, NULL);
		atomic_fetch_add(&chans[i].msgs, 1);
		return;
	}
}

/* For victims of cancellation and jumps: they order, and read the message by their own means. */
struct chan *chan_driven_pipe(struct rng *r)
{
	unsigned at = below(r, PER_KIND);

	for (unsigned n = 0; n < PER_KIND; n++, at = (at + 1) % PER_KIND) {
		for (unsigned i = 0, k = 0; i < chan_count; i++) {
			if (chans[i].kind == &kind_pipe && k++ == at && chans[i].driven)
				return &chans[i];
		}
	}
	return NULL;
}

int chan_order(struct chan *c)
{
	order(c);
	return c->fd[0];
}

void chan_accept(struct chan *c, const void *buf, size_t n)
{
	struct msg m;

	if (n != CHAN_MSG) {
		bad("%s %d: short message of %zu bytes", c->kind->name, c->index, n);
		return;
	}
	memcpy(m.buf, buf, n);
	took(c->kind->law, 1);
	msg_check(c, &m);
}

/* ---- drivers ---- */

/* There is an order for whoever came through the semaphore, but not always where we look first. */
static void serve(struct rng *r)
{
	for (unsigned at = below(r, chan_count);; at = (at + 1) % chan_count) {
		struct chan *c = &chans[at];

		if (c->driven && take(&c->orders)) {
			took(LAW_ORDERS, 1);
			put_msg(c, r);
			return;
		}
	}
}

static void *driver(void *arg)
{
	struct rng *r = arg;

	for (;;) {
		MUST(WAIT(sem_wait(&ordered)) == 0);
		if (drivers_end)
			return NULL;
		if (chance(r, 2))
			nap(within(r, 100000, 20000000));
		serve(r);
	}
}

void drivers_start(struct rng *r)
{
	for (int i = 0; i < DRIVERS; i++) {
		driver_rng[i] = derive(rnd(r), i);
		if (!spawn(&drivers[i], driver, &driver_rng[i]))
			bad("driver: cannot be created");
	}
}

void drivers_stop(void)
{
	drivers_end = true;
	for (int i = 0; i < DRIVERS; i++)
		sem_post(&ordered);
	for (int i = 0; i < DRIVERS; i++)
		join(drivers[i]);
}

/* ---- all of them ---- */

void chan_init(struct rng *r)
{
	sem_init(&ordered, 0, 0);
	for (unsigned k = 0; k < KINDS; k++) {
		for (int n = 0; n < PER_KIND; n++) {
			struct chan *c = &chans[chan_count];

			*c = (struct chan){
				.kind = kinds[k], .index = chan_count, .fd = { -1, -1 }, .epfd = -1
			};
			c->cap = within(r, 1, kinds[k]->cap);
			c->driven = n % 2 && kinds[k] != &kind_sigsem;
			c->space = c->cap;
			if (!kinds[k]->open(c)) {
				note("%s: not on this host, error %d; left out", kinds[k]->name,
				     errno);
				break;
			}
			chan_count++;
		}
	}
}

/* All workers and drivers are gone: what is left is at hand, and must be what the credits say. */
void chan_drain(void)
{
	for (unsigned i = 0; i < chan_count; i++) {
		struct chan *c = &chans[i];
		struct msg m;
		int n = 0;

		for (; c->kind->rest(c, &m); n++) {
			took(c->kind->law, 1);
			if (c->kind->size)
				msg_check(c, &m);
		}
		if (!c->driven && n != c->msgs)
			bad("%s %d: %d left, credits say %d", c->kind->name, c->index, n, c->msgs);
		step();
	}
}

void chan_finish(void)
{
	for (unsigned i = 0; i < chan_count; i++)
		chans[i].kind->close(&chans[i]);
}
