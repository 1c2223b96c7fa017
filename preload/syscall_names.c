/* One text of all names, and where each begins: pointers would be filled in at every start. */
#include "preload/syscall_names.h"

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

static const struct text {
#define SYSCALL(name) char name_##name[sizeof(#name)];
#include "preload/syscalls.def"
#undef SYSCALL
} text = {
#define SYSCALL(name) #name,
#include "preload/syscalls.def"
#undef SYSCALL
};

/* One more than the place in the text; 0: no such call. */
static const uint16_t places[] = {
#define SYSCALL(name) [__NR_##name] = offsetof(struct text, name_##name) + 1,
#include "preload/syscalls.def"
#undef SYSCALL
};

const char *syscall_name(unsigned nr)
{
	if (nr >= sizeof(places) / sizeof(places[0]) || !places[nr])
		return NULL;
	return (const char *)&text + places[nr] - 1;
}
