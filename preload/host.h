/* Which programs are left alone. */
#ifndef GMP_PRELOAD_HOST_H
#define GMP_PRELOAD_HOST_H

/* Why this process runs untouched, for a message; NULL: nothing is in the way. */
const char *host_unfit(void);
/* GMP_VERBOSE: says on stderr what the library does here. */
void host_report(void);

#endif
