/* The one symbol by which tools find the scheduler in our memory; see runtime/layout.h. */
#include "runtime/layout.h"

#include "preload/interpose.h"

EXPORT extern const struct gmp_layout shim_layout __asm__("gmp_layout");
const struct gmp_layout shim_layout = { LAYOUT_SIZES, .sched = &sched };
