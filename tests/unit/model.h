/*
 * What model_atomic.h turns the runtime's atomic operations into: switch points of the fake, and
 * stores that others see late, as a processor's store buffer makes them (x86: FIFO, one buffer a
 * CPU).
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <stdint.h>

uint64_t model_load(const void *addr, uint32_t size);
void model_store(void *addr, uint64_t value, uint32_t size);
/* Before an operation that is a full barrier. */
void model_barrier(void);
/* A point where another thread may run, and nothing else. */
void model_point(void);

#endif
