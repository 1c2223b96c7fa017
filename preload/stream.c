/*
 * Where a program gives libc code of its own to run inside stdio; stream.h says why that is noted.
 *
 * Noted before libc knows of the code, so no call can run it and be taken for one that does not.
 * relaxed: whoever uses what was made here was told of it, and by that of these.
 */
#include "preload/stream.h"

#include "preload/interpose.h"

au32 stream_callbacks, printf_callbacks;

ptr shim_fopencookie(void *cookie, const char *mode, cookie_io_functions_t io)
{
	store_rlx(&stream_callbacks, 1);
	return real_fopencookie(cookie, mode, io);
}

int shim_register_printf_function(int c, printf_function *print, printf_arginfo_function *info)
{
	store_rlx(&printf_callbacks, 1);
	return real_register_printf_function(c, print, info);
}

int shim_register_printf_specifier(int c, printf_function *print,
				   printf_arginfo_size_function *info)
{
	store_rlx(&printf_callbacks, 1);
	return real_register_printf_specifier(c, print, info);
}

int shim_register_printf_type(printf_va_arg_function *arg)
{
	store_rlx(&printf_callbacks, 1);
	return real_register_printf_type(arg);
}
