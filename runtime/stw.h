/* Stopping the world and starting it again; gmprt.h says what that promises. */
#ifndef GMP_RUNTIME_STW_H
#define GMP_RUNTIME_STW_H

#include "runtime/types.h"

/* 0, -ETIMEDOUT after timeout_ms (0: no limit), -EOPNOTSUPP when the cap is dissolved. */
int stoptheworld(u32 timeout_ms);
/* By: who stopped it. */
void starttheworld(void);

#endif
