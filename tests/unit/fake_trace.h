/* The trace of a simulated run, read back: who had which P, in order of the events' dates. */
#ifndef TESTS_UNIT_FAKE_TRACE_H
#define TESTS_UNIT_FAKE_TRACE_H

#include "runtime/types.h"

/* What a tool does: asks sysmon, by the page, for a trace.  By a simulated thread. */
void fake_trace_ask(void);
/*
 * After the run.  In that order no P has two Gs and no G two Ps (runtime/trace.h).  Returns how
 * many times a P changed hands; 0 when there was no trace, or it did not fit.
 */
u32 fake_trace_check(void);

#endif
