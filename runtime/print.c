/* The formatter, and what a broken invariant leads to. */
#include "runtime/print.h"

#include <asm/errno.h>

#include "runtime/hooks.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/proc.h"

struct out {
	char *at, *end; /* end leaves room for the terminator */
};

static void put_char(struct out *o, char c)
{
	if (o->at < o->end)
		*o->at++ = c;
}

static void put_text(struct out *o, const char *s)
{
	while (*s)
		put_char(o, *s++);
}

static void put_number(struct out *o, u64 n, u32 base)
{
	char digits[24];
	int i = 0;

	do
		digits[i++] = "0123456789abcdef"[n % base];
	while (n /= base);
	while (i)
		put_char(o, digits[--i]);
}

static void put_signed(struct out *o, i64 n)
{
	if (n < 0)
		put_char(o, '-');
	put_number(o, n < 0 ? 0 - (u64)n : (u64)n, 10);
}

static void put_arg(struct out *o, char directive, bool wide, va_list *ap)
{
	switch (directive) {
	case 's':
		put_text(o, va_arg(*ap, const char *));
		break;
	case 'c':
		put_char(o, (char)va_arg(*ap, int));
		break;
	case 'd':
		put_signed(o, wide ? va_arg(*ap, long) : va_arg(*ap, int));
		break;
	case 'u':
	case 'x':
		put_number(o, wide ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned),
			   directive == 'u' ? 10 : 16);
		break;
	default:
		put_char(o, directive);
	}
}

size_t gmp_vformat(char *buf, size_t len, const char *fmt, va_list args)
{
	struct out o = { buf, buf + len - 1 };
	va_list ap;

	va_copy(ap, args);
	for (; *fmt; fmt++) {
		bool wide;

		if (*fmt != '%') {
			put_char(&o, *fmt);
			continue;
		}
		wide = *++fmt == 'l';
		if (wide)
			fmt++;
		put_arg(&o, *fmt, wide, &ap);
	}
	va_end(ap);
	*o.at = 0;
	return (size_t)(o.at - buf);
}

size_t gmp_format(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = gmp_vformat(buf, len, fmt, ap);
	va_end(ap);
	return n;
}

const char *gmp_error(int err, char *buf, size_t len)
{
	static const char *const words[] = {
		[EACCES] = "permission denied",
		[ENOENT] = "no such directory",
		[ENOSPC] = "the disk is full",
		[EROFS] = "read-only",
		[EINVAL] = "no regular file",
		[EISDIR] = "a directory",
		[ENXIO] = "nobody reads it",
		[EBADF] = "it would take a descriptor of the program's"
	};

	if ((u32)err < sizeof(words) / sizeof(words[0]) && words[err])
		return words[err];
	gmp_format(buf, len, "error %d", err);
	return buf;
}

static void say(const char *prefix, const char *fmt, va_list ap)
{
	char line[512];
	size_t n = gmp_format(line, sizeof(line) - 1, "%s", prefix);

	n += gmp_vformat(line + n, sizeof(line) - 1 - n, fmt, ap);
	line[n++] = '\n';
	os_write(os_stderr(), line, n);
}

void gmp_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("gmp: ", fmt, ap);
	va_end(ap);
}

void gmp_throw(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("gmp: fatal: ", fmt, ap);
	va_end(ap);
	if (opts.on_bug == ON_BUG_ABORT && rt_hooks.abort)
		rt_hooks.abort();
	sched_dissolve();
}
