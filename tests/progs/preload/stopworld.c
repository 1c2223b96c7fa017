/*
 * A collector that stops the world by signals (libgc, mono, sbcl): a handler in every thread, also
 * in those that wait for a P, says that it is there and waits for the second signal, asleep or
 * spinning.  A P that is granted to such a thread does nobody any good: it must go on to who
 * restarts the world.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include "tests/progs/preload/cases.h"

enum { THREADS = 3, ROUNDS = 20, STAND_TURNS = 4 };

static sem_t there;
static volatile int restarted; /* rounds that are over */
static bool spins;

static void get_back(void)
{
	while (sem_wait(&there) != 0)
		;
}

static void on_suspend(int sig)
{
	int round = restarted;
	sigset_t all_but_one;

	sigfillset(&all_but_one);
	sigdelset(&all_but_one, SIGUSR2);
	sem_post(&there);
	while (restarted == round)
		if (!spins)
			sigsuspend(&all_but_one);
	sem_post(&there);
}

static void on_restart(int sig)
{
}

/* While the world stands another thread, which the signals spare, must run. */
static void *works(void *turns)
{
	for (volatile int i = 0; i < 1000000; i++)
		;
	return turns;
}

static void one_round(struct hog *hogs)
{
	for (int i = 0; i < THREADS; i++)
		pthread_kill(hogs[i].thread, SIGUSR1);
	for (int i = 0; i < THREADS; i++)
		get_back();
	for (int i = 0; i < STAND_TURNS; i++)
		join(spawn(works, NULL));
	restarted++;
	for (int i = 0; i < THREADS; i++)
		pthread_kill(hogs[i].thread, SIGUSR2);
	for (int i = 0; i < THREADS; i++)
		get_back();
}

static void run(bool spin)
{
	struct sigaction suspend = { .sa_handler = on_suspend, .sa_flags = SA_RESTART };
	struct sigaction restart = { .sa_handler = on_restart, .sa_flags = SA_RESTART };
	struct hog hogs[THREADS] = { 0 };

	spins = spin;
	/* The restart too: it comes in sigsuspend, or it would be lost before it. */
	sigfillset(&suspend.sa_mask);
	sigaction(SIGUSR1, &suspend, NULL);
	sigaction(SIGUSR2, &restart, NULL);
	sem_init(&there, 0, 0);
	for (int i = 0; i < THREADS; i++)
		hog_start(&hogs[i]);
	for (int round = 0; round < ROUNDS; round++)
		one_round(hogs);
	for (int i = 0; i < THREADS; i++)
		hog_stop(&hogs[i]);
	printf("%d rounds\n", restarted);
}

static void case_asleep(void)
{
	run(false);
}

static void case_spinning(void)
{
	run(true);
}

static const struct a_case cases[] = {
	{ "asleep", case_asleep },
	{ "spinning", case_spinning },
	{ 0 },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}
