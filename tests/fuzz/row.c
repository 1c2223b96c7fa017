/*
 * main() of a fuzz target without a fuzzer: the seeds in a directory, then a fixed number of
 * mutations of them, the same each time.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 50000
#define SEEDS 64
#define SIZE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	uint8_t *data;
	size_t size;
} seeds[SEEDS];
static size_t nseeds;
static uint64_t state = 1;

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void read_seeds(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, visible, alphasort);
	char path[4096];
	FILE *f;

	for (int i = 0; i < n && nseeds < SEEDS; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		seeds[nseeds].data = malloc(SIZE);
		seeds[nseeds].size = fread(seeds[nseeds].data, 1, SIZE, f);
		nseeds++;
		fclose(f);
	}
}

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % n;
}

/* A few bytes of it change, go, or come again and again. */
static size_t mutate(uint8_t *data, size_t size, size_t room)
{
	static const char interesting[] = "\0\n\f /:.\\,-0123456789acpu";

	for (size_t n = below(6); n && size > 1; n--) {
		size_t at = below(size), len = 1 + below(size - at);

		switch (below(4)) {
		case 0:
			data[at] = (uint8_t)interesting[below(sizeof(interesting))];
			break;
		case 1:
			data[at] = (uint8_t)below(256);
			break;
		case 2:
			memmove(data + at, data + at + len, size - at - len);
			size -= len;
			break;
		default:
			for (size_t times = below(60); times && size + len <= room; times--) {
				memmove(data + at + len, data + at, size - at);
				size += len;
			}
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	static uint8_t data[SIZE];

	read_seeds(argv[1]);
	for (size_t i = 0; nseeds && i < ROUNDS; i++) {
		size_t seed = i % nseeds, size = seeds[seed].size;

		memcpy(data, seeds[seed].data, size);
		if (i >= nseeds)
			size = mutate(data, size, sizeof(data));
		/* Exactly as long as it is, for the address sanitizer. */
		uint8_t *copy = malloc(size);

		memcpy(copy, data, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
	}
	printf("%d passed, %d failed\n", nseeds > 0, nseeds == 0);
	return nseeds == 0;
}
