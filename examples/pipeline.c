/*
 * pipeline: read -> four workers -> put in order -> write, joined by bounded queues.
 *
 * Watch stages of different nature take turns: the first blocks in read() on a pipe, the workers
 * compute, the last sleeps now and then like a slow disk, and all wait for each other on condition
 * variables.  One hash of the ordered output proves that nothing is lost.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { ITEMS = 4000, WORKERS = 4, SLOTS = 16, STEPS = 40000, PAUSE_EVERY = 16 };

struct item {
	long number, value; /* number -1: nothing more comes */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full;
	struct item slot[SLOTS];
	unsigned long head, tail, waits;
} raw = { .lock = PTHREAD_MUTEX_INITIALIZER }, done = { .lock = PTHREAD_MUTEX_INITIALIZER };
static int source[2];

static void put(struct queue *q, struct item item)
{
	pthread_mutex_lock(&q->lock);
	for (; q->tail - q->head == SLOTS; q->waits++)
		pthread_cond_wait(&q->not_full, &q->lock);
	q->slot[q->tail++ % SLOTS] = item;
	pthread_cond_signal(&q->not_empty);
	pthread_mutex_unlock(&q->lock);
}

static struct item get(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	for (; q->tail == q->head; q->waits++)
		pthread_cond_wait(&q->not_empty, &q->lock);
	struct item item = q->slot[q->head++ % SLOTS];
	pthread_cond_signal(&q->not_full);
	pthread_mutex_unlock(&q->lock);
	return item;
}

static void *read_stage(void *arg)
{
	for (struct item item; read(source[0], &item, sizeof(item)) == sizeof(item);)
		put(&raw, item);
	for (int i = 0; i < WORKERS; i++)
		put(&raw, (struct item){ .number = -1 }); /* one farewell a worker */
	return arg;
}

static void *work_stage(void *arg)
{
	for (struct item item; (item = get(&raw)).number >= 0; put(&done, item))
		for (int i = 0; i < STEPS; i++)
			item.value = item.value * 48271 % 1000000007;
	return arg;
}

static void *write_stage(void *hash)
{
	unsigned long value[ITEMS] = { 0 }, *sum = hash;

	for (int i = 0; i < ITEMS; i++) {
		struct item item = get(&done);
		value[item.number] += item.value;
		if (i % PAUSE_EVERY == 0)
			usleep(1000);
	}
	for (int i = 0; i < ITEMS; i++)
		*sum = (*sum ^ value[i]) * 1099511628211;
	return NULL;
}

int main(void)
{
	unsigned long hash = 1;
	pthread_t thread[WORKERS + 2];

	pthread_cond_init(&raw.not_empty, NULL), pthread_cond_init(&raw.not_full, NULL);
	pthread_cond_init(&done.not_empty, NULL), pthread_cond_init(&done.not_full, NULL);
	if (pipe(source))
		return perror("pipeline"), 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&thread[i], NULL, work_stage, NULL);
	pthread_create(&thread[WORKERS], NULL, read_stage, NULL);
	pthread_create(&thread[WORKERS + 1], NULL, write_stage, &hash);
	for (int i = 0; i < ITEMS; i++)
		if (write(source[1], &(struct item){ i, i }, sizeof(struct item)) < 0)
			return perror("pipeline"), 1;
	close(source[1]);
	for (int i = 0; i < WORKERS + 2; i++)
		pthread_join(thread[i], NULL);
	printf("result: %d items through, their hash is %016lx\n", ITEMS, hash);
	printf("waits_for_work=%lu waits_for_room=%lu\n", done.waits, raw.waits);
}
