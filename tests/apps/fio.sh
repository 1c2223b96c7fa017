# fio with a thread per job: it writes a pattern by each of its engines, and reads it back.

cases="sync psync pvsync2 posixaio mmap libaio"

app()
{
	under fio --thread --numjobs=3 --name=job --directory="$PWD" --size=1M --bs=4k --rw=randwrite --iodepth=8 \
		--ioengine="$case" --verify=crc32c --verify_fatal=1 --do_verify=1 --randrepeat=1 --group_reporting \
		--eta=never --minimal --terse-version=3 --fallocate=none >log || fail "fio ended with $?: $(tail -n 1 log)"
	awk -F';' '{ print "error", $5, "KB read", $6, "written", $47 }' log
}
