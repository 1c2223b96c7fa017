# C++ libraries that bring threads: TBB's arenas, boost's event loop and threads, LLVM's OpenMP.

cases="tbb boost libomp"
limit=150

# One program for every mode: the compiler takes most of the time.
build()
{
	case $case in
	tbb) g++ -std=c++17 -O1 "$here/tbb_work.cpp" -o "$1" -ltbb ;;
	boost) g++ -std=c++20 -O1 "$here/boost_work.cpp" -o "$1" -lboost_thread -lboost_chrono -pthread ;;
	libomp) clang-14 -O1 -fopenmp "$here/omp.c" -o "$1" ;;
	esac >&2 || fail "the compiler ended with $?"
}

app()
{
	work=$APPS_WORK/$case
	[ -x "$work" ] || build "$work"
	export OMP_NUM_THREADS=5 OMP_DYNAMIC=false
	under "$work" || fail "$case ended with status $?"
	[ "$case" != libomp ] || OMP_NUM_THREADS=9 KMP_BLOCKTIME=0 under "$work" || fail "libomp ended with $?"
}
