/* What a G waits for, in words, and who could end that. */
#ifndef GMP_PRELOAD_WAITS_H
#define GMP_PRELOAD_WAITS_H

#include "preload/snapshot.h"

/* The G that holds what t waits for, or whose end it waits for; NULL: nobody that is known. */
const struct shot *wait_owner(const struct snapshot *s, const struct shot *t);
/* "mutex 0x..., held by goroutine 3 (thread 4712)"; "" when nothing is known. */
void wait_text(const struct snapshot *s, const struct shot *t, char *buf, size_t len);
/*
 * Is the object of a wait (class, ON) one that no other process and no dying thread can touch?
 * false as well when its memory cannot be read.
 */
bool wait_is_private(u64 class);

#endif
