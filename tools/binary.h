/* Can a program be preloaded?  What its file says, without running it. */
#ifndef GMP_TOOLS_BINARY_H
#define GMP_TOOLS_BINARY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* FINDING_PREVENTS: the library will not work there. */
enum weight { FINDING_FINE, FINDING_NOTE, FINDING_PREVENTS };

struct finding {
	enum weight weight;
	char text[400];
};

#define BINARY_PATH_MAX PATH_MAX
#define BINARY_FINDINGS_MAX 8

/* Finds a command as execvp(3) would; false with errno when there is none that can be executed. */
bool binary_find(const char *command, char path[BINARY_PATH_MAX]);
/* What is to be said of the file: at least one finding, at most BINARY_FINDINGS_MAX. */
size_t binary_examine(const char *path, struct finding *found);

#endif
