/*
 * Where a debugger or `gmp dump` finds the scheduler in the memory of a process: the exported
 * symbol gmp_layout.  Readers include types.h, so they must come from the same build of it: sizes
 * tell.  Nothing of the process runs for them; it may be stopped, wedged, or have a broken heap.
 */
#ifndef GMP_RUNTIME_LAYOUT_H
#define GMP_RUNTIME_LAYOUT_H

#include "runtime/types.h"

#define LAYOUT_MAGIC 0x74756f79616c6d67ul /* "gmlayout" */

struct gmp_layout {
	u64 magic;
	u32 size_sched, size_g, size_m, size_p;
	struct sched *sched;
};

/* clang-format off */
#define LAYOUT_SIZES \
	.magic = LAYOUT_MAGIC, .size_sched = sizeof(struct sched), .size_g = sizeof(struct g), \
	.size_m = sizeof(struct m), .size_p = sizeof(struct p)
/* clang-format on */

#endif
