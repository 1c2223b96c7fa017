# OpenMP by libgomp, whose barriers and locks wait by system calls that nobody can intercept.

app()
{
	export OMP_DYNAMIC=false
	OMP_NUM_THREADS=4 under "$APPS_BUILD/omp" || fail "a team of 4 ended with status $?"
	OMP_NUM_THREADS=13 OMP_WAIT_POLICY=passive under "$APPS_BUILD/omp" ||
		fail "a passive team of 13 ended with status $?"
	OMP_NUM_THREADS=3 OMP_WAIT_POLICY=active GOMP_SPINCOUNT=20000 under "$APPS_BUILD/omp" ||
		fail "a spinning team of 3 ended with status $?"
}
