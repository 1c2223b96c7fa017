/* Rows: System V and POSIX message queues, System V semaphores. */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

struct message {
	long kind;
	char text[64];
};

/* System V objects outlive their makers: the case that made them removes them when it leaves. */
static int sysv_msg = -1, sysv_sem = -1;
static pid_t sysv_owner;

static void sysv_remove(void)
{
	if (getpid() != sysv_owner)
		return;
	if (sysv_msg >= 0)
		msgctl(sysv_msg, IPC_RMID, NULL);
	if (sysv_sem >= 0)
		semctl(sysv_sem, 0, IPC_RMID);
}

static void setup_msg(struct st *s)
{
	s->id = sysv_msg = msgget(IPC_PRIVATE, 0600);
	must(s->id >= 0, "msgget");
	sysv_owner = getpid();
	atexit(sysv_remove);
}
static void setup_full_msg(struct st *s)
{
	struct message m = { .kind = 1 };

	setup_msg(s);
	while (msgsnd(s->id, &m, sizeof(m.text), IPC_NOWAIT) == 0)
		;
	must(errno == EAGAIN, "fill the queue");
}
static void release_msgrcv(struct st *s)
{
	struct message m = { .kind = 3, .text = "hello" };

	must(msgsnd(s->id, &m, 6, 0) == 0, "msgsnd");
}
static void release_msgsnd(struct st *s)
{
	struct message m;

	for (int i = 0; i < 10; i++)
		must(msgrcv(s->id, &m, sizeof(m.text), 0, 0) >= 0, "msgrcv");
}
static long call_msgrcv(struct st *s)
{
	FN(ssize_t, int, void *, size_t, long, int);
	struct message m = { 0 };
	long r = fn(s->id, &m, sizeof(m.text), 0, 0);
	s->extra = m.kind;
	return r;
}
static long fail_msgrcv(struct st *s)
{
	FN(ssize_t, int, void *, size_t, long, int);
	struct message m = { 0 };
	return fn(s->id, &m, sizeof(m.text), 0, IPC_NOWAIT);
}
ROW(msgrcv, POINT, .setup = setup_msg, .call = call_msgrcv, .release = release_msgrcv,
    .fail = fail_msgrcv);

static long call_msgsnd(struct st *s)
{
	FN(int, int, const void *, size_t, int);
	struct message m = { .kind = 2 };
	return fn(s->id, &m, sizeof(m.text), 0);
}
static long fail_msgsnd(struct st *s)
{
	FN(int, int, const void *, size_t, int);
	struct message m = { .kind = -2 };
	return fn(s->id, &m, sizeof(m.text), 0);
}
ROW(msgsnd, POINT, .setup = setup_full_msg, .call = call_msgsnd, .release = release_msgsnd,
    .fail = fail_msgsnd);

static void setup_sem(struct st *s)
{
	s->id = sysv_sem = semget(IPC_PRIVATE, 1, 0600);
	must(s->id >= 0, "semget");
	sysv_owner = getpid();
	atexit(sysv_remove);
}
static void release_sem(struct st *s)
{
	struct sembuf up = { 0, 1, 0 };

	must(semop(s->id, &up, 1) == 0, "semop");
}
static long call_semop(struct st *s)
{
	FN(int, int, struct sembuf *, size_t);
	struct sembuf down = { 0, -1, 0 };
	return fn(s->id, &down, 1);
}
static long fail_semop(struct st *s)
{
	FN(int, int, struct sembuf *, size_t);
	struct sembuf down = { 0, -1, IPC_NOWAIT };
	return fn(s->id, &down, 1);
}
ROW(semop, 0, .setup = setup_sem, .call = call_semop, .release = release_sem, .fail = fail_semop);

static long call_semtimedop(struct st *s)
{
	FN(int, int, struct sembuf *, size_t, const struct timespec *);
	struct sembuf down = { 0, -1, 0 };
	struct timespec t = rel_time(s);
	return fn(s->id, &down, 1, &t);
}
static long fail_semtimedop(struct st *s)
{
	FN(int, int, struct sembuf *, size_t, const struct timespec *);
	struct sembuf down = { 9, -1, 0 };
	struct timespec t = rel_time(s);
	return fn(s->id, &down, 1, &t);
}
ROW(semtimedop, TIMED, .setup = setup_sem, .call = call_semtimedop, .release = release_sem,
    .fail = fail_semtimedop);

/* --- POSIX queues: one message of 16 bytes fits --- */

static void setup_mq(struct st *s)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 16 };

	snprintf(s->path, sizeof(s->path), "/gmp-row-%d", s->pid);
	mq_unlink(s->path);
	s->mq = mq_open(s->path, O_RDWR | O_CREAT, 0600, &a);
	must(s->mq != (mqd_t)-1, "mq_open");
	mq_unlink(s->path);
}
static void setup_full_mq(struct st *s)
{
	setup_mq(s);
	must(mq_send(s->mq, "full", 4, 1) == 0, "mq_send");
}
static void release_mq_receive(struct st *s)
{
	must(mq_send(s->mq, "hello", 5, 9) == 0, "mq_send");
}
static void release_mq_send(struct st *s)
{
	char buf[16];

	must(mq_receive(s->mq, buf, sizeof(buf), NULL) >= 0, "mq_receive");
}
static long call_mq_receive(struct st *s)
{
	FN(ssize_t, mqd_t, char *, size_t, unsigned *);
	unsigned prio = 0;
	long r = fn(s->mq, s->buf, 16, &prio);
	s->extra = prio;
	return r;
}
static long fail_mq_receive(struct st *s)
{
	FN(ssize_t, mqd_t, char *, size_t, unsigned *);
	return fn(s->mq, s->buf, 1, NULL);
}
ROW(mq_receive, POINT, .setup = setup_mq, .call = call_mq_receive, .release = release_mq_receive,
    .fail = fail_mq_receive);

static long call_mq_timedreceive(struct st *s)
{
	FN(ssize_t, mqd_t, char *, size_t, unsigned *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	unsigned prio = 0;
	long r = fn(s->mq, s->buf, 16, &prio, &t);
	s->extra = prio;
	return r;
}
static long fail_mq_timedreceive(struct st *s)
{
	FN(ssize_t, mqd_t, char *, size_t, unsigned *, const struct timespec *);
	struct timespec t = { 0, -1 };
	return fn(s->mq, s->buf, 16, NULL, &t);
}
ROW(mq_timedreceive, POINT | TIMED, .setup = setup_mq, .call = call_mq_timedreceive,
    .release = release_mq_receive, .fail = fail_mq_timedreceive);

static long call_mq_send(struct st *s)
{
	FN(int, mqd_t, const char *, size_t, unsigned);
	return fn(s->mq, "row", 3, 2);
}
static long fail_mq_send(struct st *s)
{
	FN(int, mqd_t, const char *, size_t, unsigned);
	return fn(s->mq, s->buf, 17, 2);
}
ROW(mq_send, POINT, .setup = setup_full_mq, .call = call_mq_send, .release = release_mq_send,
    .fail = fail_mq_send);

static long call_mq_timedsend(struct st *s)
{
	FN(int, mqd_t, const char *, size_t, unsigned, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	return fn(s->mq, "row", 3, 2, &t);
}
static long fail_mq_timedsend(struct st *s)
{
	FN(int, mqd_t, const char *, size_t, unsigned, const struct timespec *);
	struct timespec t = { 0, -1 };
	return fn(s->mq, "row", 3, 2, &t);
}
ROW(mq_timedsend, POINT | TIMED, .setup = setup_full_mq, .call = call_mq_timedsend,
    .release = release_mq_send, .fail = fail_mq_timedsend);
