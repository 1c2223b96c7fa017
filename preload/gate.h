/* GATE(class, nr): brackets the rest of the enclosing block; see runtime/gate.h. */
#ifndef GMP_PRELOAD_GATE_H
#define GMP_PRELOAD_GATE_H

#include "runtime/gate.h"

/* The cleanup runs on return and, with -fexceptions, when a cancelled thread unwinds. */
#define GATE(class, nr)                                                                            \
	struct gate gate_ __attribute__((cleanup(gate_close), unused)) =                           \
		gate_open((class), (nr), (uintptr_t)__builtin_frame_address(0))

#endif
