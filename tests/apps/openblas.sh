# numpy over OpenBLAS with threads: its pool spins, yields and sleeps; the sums are bit for bit.

app()
{
	for n in 2 5; do
		OPENBLAS_NUM_THREADS=$n under "$python" -B "$here/openblas_work.py" || fail "numpy ended with $?"
	done
}
