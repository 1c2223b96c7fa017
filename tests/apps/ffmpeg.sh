# ffmpeg: frame threads of codecs, slice threads of filters, a thread per output file.

app()
{
	export AV_LOG_FORCE_NOCOLOR=1
	under ffmpeg -v error -nostdin -filter_threads 4 -f lavfi -i testsrc2=size=320x240:rate=25:duration=4 \
		-f lavfi -i sine=frequency=440:duration=4 -vf 'hflip,gblur=2,scale=200:150' -threads 4 \
		-c:v mpeg4 -flags +bitexact -fflags +bitexact -c:a flac -y out.mkv || fail "encode: $?"
	under ffmpeg -v error -nostdin -threads 4 -i out.mkv -map 0:v -f framemd5 video.md5 -map 0:v \
		-c:v ffv1 -threads 4 -slices 4 -flags +bitexact -fflags +bitexact -f matroska ffv1.mkv -map 0:a -f md5 - ||
		fail "decode: $?"
	under ffmpeg -v error -nostdin -threads 4 -i ffv1.mkv -f md5 - || fail "ffv1: $?"
	cksum <video.md5
}
