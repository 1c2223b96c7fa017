# x264 with frame threads and with sliced threads: the same bits whatever the schedule.

app()
{
	ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=4 -pix_fmt yuv420p in.y4m ||
		fail "no input"
	under x264 --quiet --threads 6 --lookahead-threads 2 --preset fast -o frames.264 in.y4m ||
		fail "x264 ended with $?"
	under x264 --quiet --threads 4 --sliced-threads --preset veryfast -o slices.264 in.y4m ||
		fail "x264 --sliced-threads ended with $?"
	cksum <frames.264
	cksum <slices.264
}
