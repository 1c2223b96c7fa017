# ImageMagick's filters by OpenMP, and one with few threads in many processes.

app()
{
	export MAGICK_THREAD_LIMIT=4 OMP_NUM_THREADS=4 HOME="$PWD"
	python -c 'import random; r = random.Random(20); print("P6 700 500 255"); import sys; sys.stdout.flush()
sys.stdout.buffer.write(bytes((x * y + r.randrange(9)) % 256 for x in range(700) for y in range(1500)))' >in.ppm
	for filter in '-gaussian-blur 3x2' '-resize 300%' '-rotate 33' '-median 3' '-colorspace Lab' '-equalize' '-implode 0.5'; do
		# shellcheck disable=SC2086
		under convert in.ppm $filter -depth 8 rgb:out || fail "convert $filter ended with $?"
		cksum <out
	done
}
