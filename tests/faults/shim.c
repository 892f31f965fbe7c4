/* Counts the calls with which a process changes files below some folders, and makes the Nth of them fail.
 *
 * Loaded with LD_PRELOAD into a process and its children. The file that BEAMLINE_FAULTS names is shared by all of them:
 * tests/faults/shim.py has the same layout. A call that fails changes nothing, except fclose, which closes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FOLDERS 4
#define FOLDER_BYTES 512
#define CALL_BYTES 512

struct faults {
    _Atomic uint64_t armed;
    _Atomic uint64_t calls;
    _Atomic uint64_t injected;
    uint64_t first;                      /* the numbers of the calls that fail, from 1; 0 and 0: none */
    uint64_t last;
    int64_t error;                       /* errno; 0: SIGKILL instead of the call */
    char folders[FOLDERS][FOLDER_BYTES]; /* absolute, resolved; empty: unused */
    char call[CALL_BYTES];               /* name and path of the first call that failed */
};

static struct faults *faults;

__attribute__((constructor)) static void map_faults(void) {
    const char *path = getenv("BEAMLINE_FAULTS");
    if (path == NULL) return;
    int file = (int)openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) faults = mapped;
}

static int is_below(const char *path) {
    for (int i = 0; i < FOLDERS; i++) {
        size_t length = strlen(faults->folders[i]);
        if (length && !strncmp(path, faults->folders[i], length) && (path[length] == '/' || !path[length])) return 1;
    }
    return 0;
}

/* Whether this call, which changes a path, fails now; then errno is set. */
static int fails_at(const char *name, const char *path) {
    if (!is_below(path)) return 0;
    uint64_t number = atomic_fetch_add(&faults->calls, 1) + 1;
    if (number < faults->first || number > faults->last) return 0;
    if (atomic_fetch_add(&faults->injected, 1) == 0)
        snprintf(faults->call, CALL_BYTES, "%s %.400s", name, path);
    if (faults->error == 0) kill(getpid(), SIGKILL);
    errno = (int)faults->error;
    return 1;
}

static int is_armed(void) { return faults != NULL && atomic_load(&faults->armed); }

static int path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int fails_fd(const char *name, int descriptor) {
    char path[PATH_MAX];
    int before = errno;
    if (!is_armed() || !path_of(descriptor, path)) return errno = before, 0;
    errno = before;
    return fails_at(name, path);
}

static int fails_path(const char *name, int folder, const char *given) {
    char path[2 * PATH_MAX];
    int before = errno;
    if (!is_armed() || given == NULL) return 0;
    if (given[0] == '/') {
        snprintf(path, sizeof path, "%s", given);
    } else {
        if (folder == AT_FDCWD ? getcwd(path, PATH_MAX) == NULL : !path_of(folder, path)) return errno = before, 0;
        size_t length = strlen(path);
        snprintf(path + length, sizeof path - length, "/%s", given);
    }
    errno = before;
    return fails_at(name, path);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int is_writing(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

static mode_t mode_of(int flags, va_list rest) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_of(flags, rest); \
        va_end(rest); \
        if (is_writing(flags) && fails_path("open", AT_FDCWD, path)) return -1; \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_of(flags, rest); \
        va_end(rest); \
        if (is_writing(flags) && fails_path("open", folder, path)) return -1; \
        return real(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name) \
    FILE *name(const char *path, const char *mode) { \
        REAL(name); \
        if (strpbrk(mode, "wa+") && fails_path("open", AT_FDCWD, path)) return NULL; \
        return real(path, mode); \
    }
FOPEN(fopen)
FOPEN(fopen64)

/* RESULT NAME(PARAMETERS) with arguments, which fails with FAILURE if CHECK holds. */
#define CALL(result, name, parameters, arguments, check, failure) \
    result name parameters { \
        REAL(name); \
        if (check) return failure; \
        return real arguments; \
    }

CALL(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n), fails_fd("write", fd), -1)
CALL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), fails_fd("write", fd), -1)
CALL(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at), fails_fd("pwrite", fd), -1)
CALL(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at), fails_fd("pwrite", fd), -1)
CALL(ssize_t, sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n), fails_fd("write", to), -1)
CALL(ssize_t, sendfile64, (int to, int from, off64_t *at, size_t n), (to, from, at, n), fails_fd("write", to), -1)
CALL(ssize_t, copy_file_range, (int from, off64_t *start, int to, off64_t *at, size_t n, unsigned flags),
     (from, start, to, at, n, flags), fails_fd("write", to), -1)
CALL(size_t, fwrite, (const void *b, size_t size, size_t n, FILE *f), (b, size, n, f), fails_fd("write", fileno(f)), 0)
CALL(int, fflush, (FILE *f), (f), f != NULL && fails_fd("write", fileno(f)), EOF)
CALL(int, fsync, (int fd), (fd), fails_fd("fsync", fd), -1)
CALL(int, fdatasync, (int fd), (fd), fails_fd("fdatasync", fd), -1)
CALL(int, ftruncate, (int fd, off_t size), (fd, size), fails_fd("ftruncate", fd), -1)
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size), fails_fd("ftruncate", fd), -1)
CALL(int, fallocate, (int fd, int how, off_t at, off_t n), (fd, how, at, n), fails_fd("fallocate", fd), -1)
CALL(int, fallocate64, (int fd, int how, off64_t at, off64_t n), (fd, how, at, n), fails_fd("fallocate", fd), -1)
CALL(int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n), fails_fd("fallocate", fd), errno)
CALL(int, posix_fallocate64, (int fd, off64_t at, off64_t n), (fd, at, n), fails_fd("fallocate", fd), errno)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), fails_path("mkdir", AT_FDCWD, path), -1)
CALL(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), fails_path("mkdir", at, path), -1)
CALL(int, unlink, (const char *path), (path), fails_path("unlink", AT_FDCWD, path), -1)
CALL(int, rmdir, (const char *path), (path), fails_path("rmdir", AT_FDCWD, path), -1)
CALL(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), fails_path("unlink", at, path), -1)
CALL(int, rename, (const char *from, const char *to), (from, to), fails_path("rename", AT_FDCWD, to), -1)
CALL(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), fails_path("rename", b, to), -1)
CALL(int, renameat2, (int a, const char *from, int b, const char *to, unsigned how), (a, from, b, to, how),
     fails_path("rename", b, to), -1)
CALL(int, link, (const char *from, const char *to), (from, to), fails_path("link", AT_FDCWD, to), -1)
CALL(int, linkat, (int a, const char *from, int b, const char *to, int how), (a, from, b, to, how),
     fails_path("link", b, to), -1)

/* The last bytes of a stream are written at its end. If that fails they are lost, and the stream is closed. */
int fclose(FILE *file) {
    REAL(fclose);
    int writable = (fcntl(fileno(file), F_GETFL) & O_ACCMODE) != O_RDONLY;
    int failed = writable && fails_fd("write", fileno(file));
    int error = errno;
    if (failed) __fpurge(file);
    int result = real(file);
    return failed ? (errno = error, EOF) : result;
}
