/* Pinning to CPUs: tests that compare speeds or count CPUs say which ones they use. */
#ifndef TESTS_SUPPORT_PIN_H
#define TESTS_SUPPORT_PIN_H

int pin_to_nth_cpu(int n); /* the n-th CPU that we may use, wrapping round; -errno */
int cpus_allowed(void);

#endif
