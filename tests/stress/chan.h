/*
 * Channels: one shape for everything that carries messages or counts between workers.
 *
 * A kind (chan_fd.c, chan_ipc.c, chan_sync.c) knows how to open, send, receive in many ways, and
 * take what is left at the end. chan.c knows credits and drivers; a kind never blocks for longer
 * than its partner, who is bound to come, needs.
 */
#ifndef STRESS_CHAN_H
#define STRESS_CHAN_H

#include "stress.h"

#define PAGE_MSG 4096

struct msg {
	char buf[PAGE_MSG]; /* the first CHAN_MSG bytes are a line of text, the rest a pattern */
};

struct chan {
	const struct kind *kind;
	int cap, index;
	bool driven;
	_Atomic int msgs, space; /* credits: messages and room that somebody promised */
	_Atomic int orders;	 /* driven: messages a receiver waits for */
	int fd[2];		 /* fd[0] to receive from, fd[1] to send to */
	int epfd;
	void *p; /* what else the kind needs */
};

struct kind {
	const char *name;
	enum law law;
	int cap;     /* most messages that fit for certain */
	size_t size; /* bytes of a message; 0 = a bare count */
	bool (*open)(struct chan *c);
	void (*send)(struct chan *c, struct rng *r, const struct msg *m);
	void (*recv)(struct chan *c, struct rng *r, struct msg *m);
	bool (*rest)(struct chan *c, struct msg *m); /* takes without waiting; false = empty */
	void (*close)(struct chan *c);
};

extern const struct kind kind_pipe, kind_page, kind_fifo, kind_stdio, kind_stream, kind_dgram,
	kind_seq, kind_eventfd, kind_msgq, kind_mq, kind_semv, kind_sem, kind_sigsem, kind_cond,
	kind_cnd, kind_futex;

#endif
