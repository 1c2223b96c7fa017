/* The names of all rows and aliases of the interposition table, for drivers: same order and same
 * source as the victims' table, so no row can be forgotten.
 */
#ifndef TESTS_PRELOAD_ROW_NAMES_H
#define TESTS_PRELOAD_ROW_NAMES_H

#include "tests/progs/preload/rows_extra.h"

static const char *const row_names[] = {
#define ROW(type, name, symbol, version, params, args)
#define CALL(type, name, version, class, nr, params, args) #name,
#define VCALL(type, name, symbol, version, at, class, nr, params, args) #name,
#define VARIADIC(type, name, target, class, nr, params, args) #name,
#define TRY(type, name, version, attempt, nr, on, params, args) #name,
#define HAND(type, name, version, params, args) #name,
#define ALIAS(alias, target) #alias,
#define TRY_ALIAS(alias, target) #alias,
#include "preload/calls.def"
#define EXTRA(name) #name,
	ROWS_EXTRA
#undef EXTRA
};

#define NR_ROW_NAMES (sizeof(row_names) / sizeof(row_names[0]))

#endif
