/* Victim: a program that uses GNU MP, whose library has our stem: both must be found, and each
 * must be who it says.  Includes both headers, which must not collide either.
 */
#include <gmp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/gmprt.h"

static void *factorial(void *arg)
{
	unsigned long n = (unsigned long)arg;
	mpz_t f;

	mpz_init(f);
	mpz_fac_ui(f, n);
	char *text = mpz_get_str(NULL, 16, f);
	mpz_clear(f);
	return text;
}

int main(void)
{
	pthread_t t[4];
	gmp_randstate_t state;

	for (long i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, factorial, (void *)(500 + i)))
			return 1;
	for (int i = 0; i < 4; i++) {
		void *text;

		pthread_join(t[i], &text);
		printf("%.60s\n", (char *)text);
		free(text);
	}
	gmp_randinit_default(state);
	gmp_printf("%Zd %s\n", (mpz_t){ { 1, 1, (mp_limb_t[]){ 7 } } }, gmp_version);
	gmp_randclear(state);
	return 0;
}
