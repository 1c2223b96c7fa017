/*
 * Programs that bring a runtime of their own which owns threads or signals, or that must not be
 * influenced from outside, run untouched: every call passes through, there is no thread and no
 * handler of ours.
 *
 * It is asked when the second thread is made, and at load for GMP_VERBOSE alone, so a program
 * without threads pays nothing but the loader's look-up of a few names.  No dlsym: one that fails
 * allocates, and one that succeeds wipes out what the program's own dlerror() would have said.
 */
#include "preload/host.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "preload/real.h"
#include "runtime/limit.h"
#include "runtime/opts.h"
#include "runtime/print.h"

/* Bound by the loader before anything runs; NULL where nobody has the name. */
#define RUNTIME(name) extern char name[] __attribute__((weak, visibility("default")))
RUNTIME(__asan_init);
RUNTIME(__hwasan_init);
RUNTIME(__lsan_init);
RUNTIME(__msan_init);
RUNTIME(__tsan_init);

static bool in_program(const void *function)
{
	Dl_info program, definition;

	return dladdr((void *)getauxval(AT_PHDR), &program) && dladdr(function, &definition) &&
	       program.dli_fbase == definition.dli_fbase;
}

static const char *sanitizer(void)
{
	if (__asan_init)
		return "it is built with AddressSanitizer";
	if (__hwasan_init)
		return "it is built with HWAddressSanitizer";
	if (__lsan_init)
		return "it is built with LeakSanitizer";
	if (__msan_init)
		return "it is built with MemorySanitizer";
	if (__tsan_init)
		return "it is built with ThreadSanitizer";
	/*
	 * gcc's static runtimes hide their own names, but not those that they replace.  These two
	 * are the definitions that the whole process uses: ours only if nobody stands before us.
	 */
	if (in_program((const void *)pthread_create) && in_program((const void *)sigaction))
		return "it has its own pthread_create and sigaction, as sanitizers do";
	return NULL;
}

/* Go's linker gives everything that it links a build ID of this form. */
static bool has_go_note(const char *note, size_t size, size_t align)
{
	const char *end = note + size;

	while (note < end) {
		const ElfW(Nhdr) *head = (const void *)note;

		if (head->n_type == 4 && head->n_namesz == 4 && !memcmp(head + 1, "Go", 3))
			return true;
		note += sizeof(*head) + ((head->n_namesz + align - 1) & -align) +
			((head->n_descsz + align - 1) & -align);
	}
	return false;
}

static int is_go_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_NOTE &&
		    has_go_note((const char *)(info->dlpi_addr + ph->p_vaddr), ph->p_memsz,
				ph->p_align == 8 ? 8 : 4))
			return 1;
	}
	return 0;
}

static const char *what_is_unfit(void)
{
	if (opts.disable)
		return "GMP_DISABLE is set";
	if (getauxval(AT_SECURE))
		return "it runs with other rights than its user's";
	if (dl_iterate_phdr(is_go_object, NULL))
		return "Go's scheduler is in it";
	return sanitizer();
}

const char *host_unfit(void)
{
	static const char *why;
	static bool known;

	/* Once: a forked child may have got the loader's lock from a thread that it has not. */
	if (!known)
		why = what_is_unfit();
	known = true;
	return why;
}

void host_report(void)
{
	const char *name = program_invocation_short_name, *why = host_unfit();

	if (why)
		gmp_warn("host: %s runs untouched: %s", name, why);
	else
		gmp_warn("host: %s gets %u Ps when it makes its second thread", name,
			 limit_procs());
}
