# Common part of the application tests.  run.sh starts `sh lib.sh APP MODE` in its own session and
# in an empty directory of its own; this file then reads APP.sh, which must define
#   app           does the work; what it prints is the result, and must be the same in every mode
# and may define
#   cases         a list: app is run for each, which is in $case
#   limit         seconds after which a run counts as hung
# and may use
#   under CMD...  runs CMD in the mode: natively, or preloaded with 1 or 2 Ps
#   serve CMD...  the same in the background; its pid is in $server
#   serve_files   a server of files; its port is in $http, its pid in $origin
#   ended N       waits for the server to end, which must be with status N
#   $as_user      what to put before a command that refuses to be root's (it is "nobody" then)
#   free_port     sets $port to one that nobody listens on
#   wait_for ...  tries a command until it succeeds
#   python ARG... the system's interpreter, never preloaded
#   corpus N FILE N bytes of data to work on
# Standard error is not part of the result, but nothing may fail there: no line of the library
# other than its statistics, and those must be there, so that a test cannot pass without it.

here=$APPS_SOURCE
python=/usr/bin/python3

fail()
{
	echo "FAIL: $APP $MODE: $*" >&2
	exit 1
}

# LD_PRELOAD is set by env(1) for the program alone: the shell and its helpers stay as they are.
# $ALSO is preloaded after the library, $ALSO_FIRST before it.
under()
{
	case $MODE in
	native) env LD_PRELOAD="${ALSO_FIRST:-}${ALSO:-}" "$@" ;;
	# shellcheck disable=SC2086
	*) env GMP_MAXPROCS="${MODE#p}" GMP_ON_BUG=abort GMP_STATS=1 ${GMP_TEST_ENV:-} \
		LD_PRELOAD="${ALSO_FIRST:+$ALSO_FIRST:}$LIBGMP${ALSO:+:$ALSO}" "$@" ;;
	esac
}

# $! would be the shell that runs under(), not the program; exec makes them one.
serve()
{
	(
		env() { exec env "$@"; }
		under "$@"
	) &
	server=$!
}

serve_files()
{
	serve "$python" "$here/curl_server.py" port
	wait_for test -s port
	http=$(cat port) origin=$server
}

ended()
{
	rc=0
	wait "$server" || rc=$?
	[ "$rc" -eq "$1" ] || fail "the server ended with status $rc, not $1"
}

# Without a limit of its own: run.sh has one for the whole run, and takes stacks when it ends.
wait_for()
{
	until "$@" 2>/dev/null; do
		[ -z "${server:-}" ] || kill -0 "$server" 2>/dev/null || fail "the server is gone"
		sleep 0.02
	done
}

# setpriv is not set-user-id, so the library stays in force through it.
as_user=
[ "$(id -u)" -ne 0 ] || as_user="setpriv --reuid=65534 --regid=65534 --clear-groups"

free_port()
{
	port=$(python -c 'import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1])')
}

python()
{
	"$python" "$@"
}

# corpus SIZE NAME: the same data in every mode, made once.
corpus()
{
	[ -f "$APPS_WORK/corpus-$1" ] || python "$here/corpus.py" "$1" >"$APPS_WORK/corpus-$1"
	cp "$APPS_WORK/corpus-$1" "$2" || fail "no corpus"
}

APP=$1
MODE=$2
# shellcheck disable=SC2034
case=${APP#*:}
. "$here/${APP%%:*}.sh"
app || fail "the work ended with status $?"
