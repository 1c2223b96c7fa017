/* A library with threads of its own: they begin with it, block and compute in its code, and are
 * joined by its destructor, after which their code is gone. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEAM = 4 };

static pthread_t team[TEAM];
static pthread_key_t key;
static int word[2];
static long rounds[TEAM];

long team_rounds(void);

static void destructor(void *mine)
{
	++*(long *)mine;
}

static void *member(void *mine)
{
	char c = 0;

	pthread_setspecific(key, mine);
	while (read(word[0], &c, 1) == 1 && c != 'q')
		for (volatile int i = 0; i < 100000; i++)
			;
	return NULL;
}

__attribute__((constructor)) static void begin(void)
{
	if (pipe(word) || pthread_key_create(&key, destructor))
		abort();
	for (int i = 0; i < TEAM; i++)
		if (pthread_create(&team[i], NULL, member, &rounds[i]))
			abort();
	if (write(word[1], "aaaaaaaaaaaa", 12) != 12)
		abort();
}

/* Stops the team; how many of its destructors ran. */
long team_rounds(void)
{
	long sum = 0;

	if (write(word[1], "qqqq", TEAM) != TEAM)
		abort();
	for (int i = 0; i < TEAM; i++) {
		pthread_join(team[i], NULL);
		sum += rounds[i];
	}
	return sum;
}

__attribute__((destructor)) static void end(void)
{
	pthread_key_delete(key);
	close(word[0]);
	close(word[1]);
}
