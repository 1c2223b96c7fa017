# R: forked workers that answer through pipes (parallel's mclapply).

app()
{
	under R --vanilla -q -e 'library(parallel)
		r <- mclapply(1:8, function(i) { x <- matrix((1:10000 * i) %% 97, 100); sum(x %*% x) }, mc.cores = 4)
		print(unlist(r))' || fail "R: $?"
}
