/*
 * Channels made of System V and POSIX IPC.
 *
 * Queues hold exactly `cap` messages, so senders block as well as receivers. The System V objects
 * outlive a process: their ids stand in the shared page, and the watchdog removes them whatever
 * becomes of us. SysV calls are never restarted after a handler; POSIX queues are.
 */
#include "chan.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static bool ipc_list(int kind, int id)
{
	int n = page->ipc_count;

	if (n >= MAX_IPC)
		return false;
	page->ipc[n].kind = kind;
	page->ipc[n].id = id;
	page->ipc_count = n + 1;
	return true;
}

/* ---- System V messages ---- */

struct mtext {
	long type;
	char text[CHAN_MSG];
};

static bool msgq_open(struct chan *c)
{
	struct msqid_ds ds;

	c->fd[0] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	if (c->fd[0] < 0)
		return false;
	if (!ipc_list('m', c->fd[0]) || msgctl(c->fd[0], IPC_STAT, &ds))
		return false;
	ds.msg_qbytes = c->cap * CHAN_MSG;
	return msgctl(c->fd[0], IPC_SET, &ds) == 0;
}

static void msgq_send(struct chan *c, struct rng *r, const struct msg *m)
{
	struct mtext t = { .type = within(r, 1, 3) };

	memcpy(t.text, m->buf, CHAN_MSG);
	MUST(WAITX(msgsnd(c->fd[0], &t, CHAN_MSG, 0)) == 0);
}

static void msgq_recv(struct chan *c, struct rng *r, struct msg *m)
{
	struct mtext t;

	/* Type 0: the first; -3: the lowest type up to 3. Both take any message that is there. */
	MUST(WAITX(msgrcv(c->fd[0], &t, CHAN_MSG, chance(r, 50) ? 0 : -3, 0)) == CHAN_MSG);
	memcpy(m->buf, t.text, CHAN_MSG);
}

static bool msgq_rest(struct chan *c, struct msg *m)
{
	struct mtext t;

	if (WAITX(msgrcv(c->fd[0], &t, CHAN_MSG, 0, IPC_NOWAIT)) != CHAN_MSG)
		return false;
	memcpy(m->buf, t.text, CHAN_MSG);
	return true;
}

static void ipc_close(struct chan *c)
{
	(void)c; /* the watchdog's work */
}

const struct kind kind_msgq = { "msgq",	   LAW_MSGQ,  20,	 CHAN_MSG, msgq_open,
				msgq_send, msgq_recv, msgq_rest, ipc_close };

/* ---- System V semaphores ---- */

static bool semv_open(struct chan *c)
{
	c->fd[0] = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	return c->fd[0] >= 0 && ipc_list('s', c->fd[0]) && semctl(c->fd[0], 0, SETVAL, 0) == 0;
}

static void semv_send(struct chan *c, struct rng *r, const struct msg *m)
{
	struct sembuf up = { 0, 1, 0 };

	(void)r, (void)m;
	MUST(WAITE(semop(c->fd[0], &up, 1)) == 0);
}

static void semv_recv(struct chan *c, struct rng *r, struct msg *m)
{
	struct sembuf down = { 0, -1, 0 };
	struct timespec ts = { 0, 5000000 };

	(void)m;
	if (chance(r, 30)) {
		while (WAITE(semtimedop(c->fd[0], &down, 1, &ts)))
			MUST(errno == EAGAIN);
		return;
	}
	MUST(WAITE(semop(c->fd[0], &down, 1)) == 0);
}

static bool semv_rest(struct chan *c, struct msg *m)
{
	struct sembuf down = { 0, -1, IPC_NOWAIT };

	(void)m;
	return WAITE(semop(c->fd[0], &down, 1)) == 0;
}

const struct kind kind_semv = { "semv",	   LAW_SEMV,  100,	 0,	   semv_open,
				semv_send, semv_recv, semv_rest, ipc_close };

/* ---- POSIX message queues ---- */

static bool mq_make(struct chan *c)
{
	struct mq_attr attr = { .mq_maxmsg = c->cap, .mq_msgsize = CHAN_MSG };
	char name[64];

	snprintf(name, sizeof(name), "/gmp-stress-%d-%d", (int)getpid(), c->index);
	c->fd[0] = c->fd[1] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (c->fd[0] < 0)
		return false;
	mq_unlink(name);
	return true;
}

static struct timespec soon(uint64_t ns)
{
	return ts_of(clock_ns(CLOCK_REALTIME) + ns);
}

static void mq_put(struct chan *c, struct rng *r, const struct msg *m)
{
	unsigned prio = below(r, 4);
	struct timespec ts;

	if (chance(r, 70)) {
		MUST(WAIT(mq_send(c->fd[0], m->buf, CHAN_MSG, prio)) == 0);
		return;
	}
	do
		ts = soon(5000000);
	while (WAIT(mq_timedsend(c->fd[0], m->buf, CHAN_MSG, prio, &ts)) && errno == ETIMEDOUT);
}

static void mq_get(struct chan *c, struct rng *r, struct msg *m)
{
	unsigned prio;
	struct timespec ts;
	ssize_t got;

	if (chance(r, 20))
		MUST(WAITX(poll(&(struct pollfd){ c->fd[0], POLLIN, 0 }, 1, -1)) == 1);
	if (chance(r, 70)) {
		got = WAIT(mq_receive(c->fd[0], m->buf, CHAN_MSG, &prio));
	} else {
		do {
			ts = soon(5000000);
			got = WAIT(mq_timedreceive(c->fd[0], m->buf, CHAN_MSG, &prio, &ts));
		} while (got < 0 && errno == ETIMEDOUT);
	}
	if (got != CHAN_MSG)
		bad("mq %d: received %zd of %d, error %d", c->index, got, CHAN_MSG, errno);
}

static bool mq_rest(struct chan *c, struct msg *m)
{
	struct timespec past = { 0, 0 };

	return WAIT(mq_timedreceive(c->fd[0], m->buf, CHAN_MSG, NULL, &past)) == CHAN_MSG;
}

static void mq_end(struct chan *c)
{
	mq_close(c->fd[0]);
}

const struct kind kind_mq = { "mq", LAW_MQ, 8, CHAN_MSG, mq_make, mq_put, mq_get, mq_rest, mq_end };
