/* Every line of the interposition table has its row, or this does not link; every alias has the
 * row of its target, called by the alias's name.
 */
#include "tests/progs/preload/rows.h"

#include <string.h>

#include "tests/progs/preload/rows_extra.h"

#define ROW_OF(name) extern const struct row row_##name;
#define CALL(type, name, version, class, nr, params, args) ROW_OF(name)
#define VCALL(type, name, symbol, version, at, class, nr, params, args) ROW_OF(name)
#define VARIADIC(type, name, target, class, nr, params, args) ROW_OF(name)
#define TRY(type, name, version, attempt, nr, on, params, args) ROW_OF(name)
#define HAND(type, name, version, params, args) ROW_OF(name)
#undef ROW
#define ROW(type, name, symbol, version, params, args)
#include "preload/calls.def"

#define EXTRA(name) ROW_OF(name)
ROWS_EXTRA
#undef EXTRA

const struct row *const all_rows[] = {
#define CALL(type, name, version, class, nr, params, args) &row_##name,
#define VCALL(type, name, symbol, version, at, class, nr, params, args) &row_##name,
#define VARIADIC(type, name, target, class, nr, params, args) &row_##name,
#define TRY(type, name, version, attempt, nr, on, params, args) &row_##name,
#define HAND(type, name, version, params, args) &row_##name,
#include "preload/calls.def"
#define EXTRA(name) &row_##name,
	ROWS_EXTRA
#undef EXTRA
};
const unsigned nr_rows = sizeof(all_rows) / sizeof(all_rows[0]);

const struct alias all_aliases[] = {
#define ALIAS(alias, target) { #alias, #target },
#define TRY_ALIAS(alias, target) { #alias, #target },
#include "preload/calls.def"
};
const unsigned nr_aliases = sizeof(all_aliases) / sizeof(all_aliases[0]);

static const struct row *plain_row(const char *name)
{
	for (unsigned i = 0; i < nr_rows; i++)
		if (!strcmp(all_rows[i]->name, name))
			return all_rows[i];
	return NULL;
}

const struct row *row_by_name(const char *name)
{
	static struct row other;

	for (unsigned i = 0; i < nr_aliases; i++) {
		if (strcmp(all_aliases[i].name, name))
			continue;
		other = *plain_row(all_aliases[i].of);
		other.name = other.symbol = all_aliases[i].name;
		for (const struct old_name *o = old_names; o->name; o++)
			if (!strcmp(o->name, name))
				other.address = o->address;
		return &other;
	}
	return plain_row(name);
}
