/*
 * Unwinding through our gates, with the unwinder that the process itself uses.
 *
 * A cancelled or exiting thread is unwound by libgcc_s, which libc loads when it needs it.  Every
 * gate has a cleanup, so the unwinder calls __gcc_personality_v0 on our frames, and the cleanup
 * ends in _Unwind_Resume.  Both must belong to the same unwinder, whose context they read and
 * write:
 *   - a static copy (libgcc_eh) aborts in _Unwind_SetGR: its register table is filled only by an
 *     unwind that it began itself, and a copy of another version may lay the context out otherwise;
 *   - DT_NEEDED libgcc_s would put a second library into every process, needed or not.
 * So both symbols are defined here, hidden, and forward to libgcc_s, as libc does for its own.
 *
 * Rule: nothing here may run a gate or own a cleanup, or the unwinder would come back to it.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unwind.h>

#include "preload/unwind.h"

typedef _Unwind_Reason_Code (*personality_fn)(int, _Unwind_Action, _Unwind_Exception_Class,
					      struct _Unwind_Exception *, struct _Unwind_Context *);
typedef void (*resume_fn)(struct _Unwind_Exception *);
typedef _Unwind_Reason_Code (*backtrace_fn)(_Unwind_Trace_Fn, void *);

/* Published last, with release: whoever sees `resume` sees `personality` too.  @pair unwind */
static personality_fn personality;
static resume_fn resume;

_Unwind_Reason_Code __gcc_personality_v0(int version, _Unwind_Action actions,
					 _Unwind_Exception_Class class,
					 struct _Unwind_Exception *exc,
					 struct _Unwind_Context *context);

/* Under a name of its own, for <unwind.h> makes the real one visible to the whole process. */
void unwind_resume(struct _Unwind_Exception *exc) __asm__("_Unwind_Resume")
	__attribute__((visibility("hidden")));

static _Unwind_Reason_Code stop_at_once(struct _Unwind_Context *context, void *arg)
{
	return _URC_END_OF_STACK;
}

/* Legal to run twice at once: both find the same addresses. */
static void resolve(void)
{
	void *lib = dlopen("libgcc_s.so.1", RTLD_NOW);
	backtrace_fn backtrace = lib ? (backtrace_fn)dlsym(lib, "_Unwind_Backtrace") : NULL;
	personality_fn p = lib ? (personality_fn)dlsym(lib, "__gcc_personality_v0") : NULL;
	resume_fn r = lib ? (resume_fn)dlsym(lib, "_Unwind_Resume") : NULL;

	/* Half-way through an unwind there is no other way on; libc aborts here as well. */
	if (!backtrace || !p || !r)
		abort();
	/* A foreign unwinder may have called us: make libgcc_s fill its register table first. */
	backtrace(stop_at_once, NULL);
	__atomic_store_n(&personality, p, __ATOMIC_RELAXED);
	/* release, @pair unwind: the personality above becomes visible first. */
	__atomic_store_n(&resume, r, __ATOMIC_RELEASE);
}

void gmp_unwind_prepare(void)
{
	/* acquire, @pair unwind: both pointers are set when this one is. */
	if (!__atomic_load_n(&resume, __ATOMIC_ACQUIRE))
		resolve();
}

_Unwind_Reason_Code __gcc_personality_v0(int version, _Unwind_Action actions,
					 _Unwind_Exception_Class class,
					 struct _Unwind_Exception *exc,
					 struct _Unwind_Context *context)
{
	gmp_unwind_prepare();
	/* relaxed: ordered by the acquire in gmp_unwind_prepare(). */
	return __atomic_load_n(&personality, __ATOMIC_RELAXED)(version, actions, class, exc,
							       context);
}

void unwind_resume(struct _Unwind_Exception *exc)
{
	gmp_unwind_prepare();
	/* relaxed: ordered by the acquire in gmp_unwind_prepare(). */
	__atomic_load_n(&resume, __ATOMIC_RELAXED)(exc);
	abort();
}
