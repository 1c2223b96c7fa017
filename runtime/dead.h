/* GMP_CHECKDEAD: are all Gs asleep for ever?  By: sysmon, every DEAD_EVERY_NS. */
#ifndef GMP_RUNTIME_DEAD_H
#define GMP_RUNTIME_DEAD_H

#include "runtime/types.h"

#define DEAD_EVERY_NS 100000000ul

/* One look.  True when the process is dead beyond doubt; rt_hooks.dead() says so and ends it. */
bool dead_look(void);

#endif
