/*
 * Names that others chose (threads, programs, paths) are bytes: they may hold control characters,
 * quotes, or be no UTF-8.  Each form of output has its one way to print them.
 */
#ifndef GMP_TOOLS_TEXT_H
#define GMP_TOOLS_TEXT_H

/* On stdout, in quotes, as JSON; a byte that is no UTF-8 becomes U+FFFD. */
void put_json(const char *s);
/* On stdout, in quotes, as a Prometheus label's value. */
void put_label(const char *s);
/* On stdout for people: what could move the cursor, end the line or is no UTF-8 becomes '?'. */
void put_plain(const char *s);
/* The same in place. */
void make_plain(char *s);

#endif
