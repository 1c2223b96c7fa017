/* Before everything else in a test of glibc's that is built outside of glibc (nptl.sh): what its
 * own headers and make files define.
 */
#include <limits.h>

#define attribute_hidden
#define attribute_tls_model_ie
#define libc_hidden_proto(...)
#define rtld_hidden_proto(...)
#define hidden_proto(...)
#define TIMEOUTFACTOR 1

/* Nobody runs a test of theirs in a file system of its own. */
#define SRCDIR_PATH "/nowhere"
#define OBJDIR_PATH "/nowhere"
#define OBJDIR_ELF_LDSO_PATH "/nowhere"
#define INSTDIR_PATH "/nowhere"
#define LIBDIR_PATH "/nowhere"
#define BINDIR_PATH "/nowhere"
#define SBINDIR_PATH "/nowhere"
#define SLIBDIR_PATH "/nowhere"
#define ROOTSBINDIR_PATH "/nowhere"
#define COMPLOCALEDIR_PATH "/nowhere"
