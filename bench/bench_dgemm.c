/* OpenMP threads that each call a threaded BLAS: bench_dgemm OUTER INNER. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/bench.h"

enum { N = 384, ROW_MAJOR = 101, AS_IT_IS = 111 };

typedef void dgemm_fn(int, int, int, int, int, int, double, const double *, int, const double *,
		      int, double, double *, int);

static double *matrix(void)
{
	double *m = malloc(sizeof(double) * N * N);

	must_be(m != NULL, "malloc");
	for (int i = 0; i < N * N; i++)
		m[i] = i % 7;
	return m;
}

int main(int argc, char **argv)
{
	void *blas = dlopen("libopenblas.so.0", RTLD_NOW);
	int outer = argc > 1 ? atoi(argv[1]) : 4;
	double seconds = effort(6), done = 0;
	dgemm_fn *dgemm;
	void (*set_threads)(int);
	uint64_t began, end;

	question("How many dgemm of 384 a second do nested thread pools complete?");
	if (!blas)
		return fprintf(stderr, "%s\n", dlerror()), 77;
	dgemm = (dgemm_fn *)dlsym(blas, "cblas_dgemm");
	set_threads = (void (*)(int))dlsym(blas, "openblas_set_num_threads");
	set_threads(argc > 2 ? atoi(argv[2]) : 2);
	began = now_ns();
	end = began + (uint64_t)(seconds * 1e9);
#pragma omp parallel num_threads(outer) reduction(+ : done)
	{
		double *a = matrix(), *b = matrix(), *c = matrix();

		for (; now_ns() < end; done++)
			dgemm(ROW_MAJOR, AS_IT_IS, AS_IT_IS, N, N, N, 1, a, N, b, N, 0, c, N);
	}
	figure("dgemm_per_s", done / (double)(now_ns() - began) * 1e9);
	_exit(0);
}
