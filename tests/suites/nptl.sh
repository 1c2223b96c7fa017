# glibc's own thread tests (nptl/tst-*.c, sysdeps/pthread/tst-*.c), each built alone against the
# installed libc: glibc's support library is compiled with them, glibc itself is not.  What needs
# glibc's inside (its private headers, its build tree) does not build; how many is said.

# $1.o of the support library: what does not build there nobody can use.
nptl_support()
{
	for f in "$source"/support/*.c; do
		name=$(basename "$f" .c)
		case $name in
		support_test_main) ;;
		tst-* | *-container | *_main | test-driver | test-run-command | links-dso-*) continue ;;
		esac
		# shellcheck disable=SC2086
		gcc $nptl_flags -c "$f" -o "$out/support/$name.o"
	done
	ar rcs "$out/libsupport.a" "$out"/support/*.o
}

# One test, or one of the libraries (mod) that tests open.
nptl_test()
{
	name=$(basename "${1%.c*}")
	compiler=gcc
	how="-o $out/bin/$name"
	case $name in
	*-static) return ;;
	*mod | *mod[0-9a-f]) how="-shared -fPIC -o $out/bin/$name.so -Wl,-soname,$name.so" ;;
	*x[0-9] | *x[0-9][0-9]) how="-fexceptions -fasynchronous-unwind-tables $how" ;;
	*y[0-9]) how="-fno-exceptions -fno-asynchronous-unwind-tables $how" ;;
	esac
	case $1 in *.cc) compiler=g++ ;; esac
	# shellcheck disable=SC2086
	$compiler $nptl_flags $how "$1" -rdynamic "$out/libsupport.a" -lrt -ldl -lpthread -lm
}

# System headers first: glibc's own, which are meant for its inside, only where nobody else has one.
nptl_compile()
{
	nptl_flags="-O2 -w -D_GNU_SOURCE -DMODULE_NAME=testsuite -include $here/nptl_shim.h -I$out/include
		-I$source/support -I$source/nptl -I$source/sysdeps/pthread"
	for d in include sysdeps/x86_64 sysdeps/generic sysdeps/nptl sysdeps/pthread; do
		nptl_flags="$nptl_flags -idirafter $source/$d"
	done
	ln -sf "$source/support" "$source/posix" "$source/test-skeleton.c" "$out/include/"
	touch "$out/include/config.h"
	nptl_support
	for f in "$source"/nptl/tst-*.c "$source"/sysdeps/pthread/tst-*.c "$source"/nptl/tst-*.cc; do
		nptl_test "$f" || echo "not built: $(basename "$f")"
	done
}

build_nptl()
{
	fetch glibc
	out=$cache/nptl
	if [ ! -f "$out/done" ]; then
		echo "building glibc's thread tests"
		rm -rf "$out"
		mkdir -p "$out/include" "$out/support" "$out/bin"
		nptl_compile >"$logs/nptl.build" 2>&1
		touch "$out/done"
	fi
	find "$out/bin" -type f -perm -u+x ! -name '*.so' | sed 's,.*/,,' | sort >"$out/tests"
	echo "$(wc -l <"$out/tests") of glibc's thread tests build on their own," \
		"$(grep -c '^not built' "$logs/nptl.build") do not (see $logs/nptl.build)"
}

# Runs one test; 77 is glibc's word for a test that cannot run here.
nptl_one()
{
	case $2 in
	tst-cancel7 | tst-cancelx7) args="--command=exec ./$2" ;;
	tst-exec4) args=./$2 ;;
	tst-umask1) args=$1/umask ;;
	*) args= ;;
	esac
	under "./$2" ${args:+"$args"} >"$1/$2" 2>&1 </dev/null
	case $? in
	0) echo "ok $2" ;;
	77) echo "skip $2" ;;
	*) echo "bad $2" ;;
	esac
}

# Four at a time: most of them wait most of the time.  Some read a Makefile, which glibc's tree has.
run_nptl()
{
	cd "$cache/nptl/bin" || return
	export TIMEOUTFACTOR=3 LD_LIBRARY_PATH=.
	: >Makefile
	for part in 0 1 2 3; do
		awk "NR % 4 == $part" ../tests | while read -r test; do
			# shellcheck disable=SC2254
			case $test in $only) nptl_one "$1" "$test" ;; esac
		done &
	done
	wait
}
