# C++ libraries that bring threads: TBB's arenas, boost's event loop and threads, LLVM's OpenMP.

cases="tbb boost libomp"
limit=150

app()
{
	case $case in
	tbb) g++ -std=c++17 -O1 "$here/tbb_work.cpp" -o work -ltbb >&2 ;;
	boost) g++ -std=c++20 -O1 "$here/boost_work.cpp" -o work -lboost_thread -lboost_chrono -pthread >&2 ;;
	libomp) clang-14 -O1 -fopenmp "$here/omp.c" -o work >&2 ;;
	esac || fail "the compiler ended with $?"
	export OMP_NUM_THREADS=5 OMP_DYNAMIC=false
	under ./work || fail "$case ended with status $?"
	[ "$case" != libomp ] || OMP_NUM_THREADS=9 KMP_BLOCKTIME=0 under ./work || fail "libomp ended with $?"
}
