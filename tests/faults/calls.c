/* Counts the calls by which a process changes anything outside of itself, and lets one of them go wrong.
 *
 * Loaded with LD_PRELOAD in front of libc, so that Python, DuckDB, its SQLite and PostgreSQL's client all pass
 * through. Nothing happens before `faults_arm`. What was counted and where it happened stands in memory that
 * is shared with the parent: the process itself may be dead by then.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, KILL_BEFORE, KILL_AFTER, TEAR, FULL, READ_ONLY, BROKEN, CUT_BEFORE, CUT_AFTER, STOP, CLOCK };

struct told {
    atomic_long all, files, sockets; /* calls counted so far */
    atomic_long happened;            /* how often a fault was given */
    char where[48];                  /* the call that met the first one */
};

static struct told nowhere;
static struct told *told = &nowhere;
static volatile int armed = NOTHING;
static long at_call;
static volatile long shift; /* seconds that the clock jumped */
static long jump;

void faults_share(void *memory) { told = memory; }
void faults_arm(int what, long at, long seconds) {
    at_call = at;
    jump = seconds;
    armed = what;
}
void faults_disarm(void) { armed = NOTHING; }

#define REAL(result, name, ...)                                                                            \
    static result (*real)(__VA_ARGS__);                                                                    \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

/* What a call is made on: data of a file, a file by its name, or a connection. */
enum kind { OTHER, FILES, NAMES, SOCKETS };

static enum kind kind_of(int fd) {
    struct stat found;
    int before = errno;
    if (fstat(fd, &found)) {
        errno = before;
        return OTHER;
    }
    return S_ISREG(found.st_mode) ? FILES : S_ISSOCK(found.st_mode) ? SOCKETS : OTHER;
}

/* What is to happen to this call: NOTHING, or the fault. */
static int next(enum kind kind, const char *name, int fd) {
    int what = armed;
    if (what == NOTHING || kind == OTHER) return NOTHING;
    long all = atomic_fetch_add(&told->all, 1) + 1, here;
    here = atomic_fetch_add(kind == SOCKETS ? &told->sockets : &told->files, 1) + 1;
    if (what == FULL || what == READ_ONLY || what == BROKEN) {
        if (kind == SOCKETS || (what == READ_ONLY && kind == FILES)) return NOTHING;
        if (what == BROKEN ? here != at_call : here < at_call) return NOTHING;
    } else if (what == CUT_BEFORE || what == CUT_AFTER) {
        if (kind != SOCKETS || here != at_call) return NOTHING;
    } else if (all != at_call) {
        return NOTHING;
    }
    if (atomic_fetch_add(&told->happened, 1) == 0) strncpy(told->where, name, sizeof told->where - 1);
    if (what == KILL_BEFORE) die();
    if (what == STOP) syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
    if (what == CLOCK) shift = jump;
    if (what == CUT_BEFORE) shutdown(fd, SHUT_RDWR);
    return what;
}

static void after(int what, int fd) {
    int before = errno;
    if (what == KILL_AFTER || what == TEAR) die();
    if (what == CUT_AFTER) shutdown(fd, SHUT_RDWR);
    errno = before;
}

#define FAIL(code)                                                                                         \
    do {                                                                                                   \
        errno = code;                                                                                      \
        return -1;                                                                                         \
    } while (0)

/* A call that takes room, one that changes a folder, and one that only has to succeed. */
#define ROOM(what)                                                                                         \
    if ((what) == FULL) FAIL(ENOSPC);                                                                      \
    if ((what) == BROKEN) FAIL(EIO)
#define FOLDER(what)                                                                                       \
    if ((what) == READ_ONLY) FAIL(EACCES);                                                                 \
    if ((what) == BROKEN) FAIL(EIO)
#define NEVER(what) (void)(what)
#define BOTH(what)                                                                                         \
    if ((what) == FULL) FAIL(ENOSPC);                                                                      \
    FOLDER(what)

static int first(void) { return atomic_load(&told->happened) == 1; }

/* Data: on a full disk the first write takes half of it, as disks do. */
#define WRITES(result, name, fd, count, parameters, whole, half, ...)                                      \
    result name parameters {                                                                               \
        REAL(result, #name, __VA_ARGS__);                                                                  \
        int what = next(kind_of(fd), #name, fd);                                                           \
        if (what == FULL && first() && count > 1) return half;                                             \
        ROOM(what);                                                                                        \
        result done = what == TEAR && count > 1 ? half : whole;                                            \
        after(what, fd);                                                                                   \
        return done;                                                                                       \
    }

WRITES(ssize_t, write, fd, n, (int fd, const void *from, size_t n), real(fd, from, n), real(fd, from, n / 2),
       int, const void *, size_t)
WRITES(ssize_t, pwrite, fd, n, (int fd, const void *from, size_t n, off_t to), real(fd, from, n, to),
       real(fd, from, n / 2, to), int, const void *, size_t, off_t)
WRITES(ssize_t, pwrite64, fd, n, (int fd, const void *from, size_t n, off_t to), real(fd, from, n, to),
       real(fd, from, n / 2, to), int, const void *, size_t, off_t)
WRITES(ssize_t, send, fd, n, (int fd, const void *from, size_t n, int flags), real(fd, from, n, flags),
       real(fd, from, n / 2, flags), int, const void *, size_t, int)
WRITES(ssize_t, writev, fd, n, (int fd, const struct iovec *from, int n), real(fd, from, n),
       real(fd, from, n / 2), int, const struct iovec *, int)
WRITES(ssize_t, sendfile, out, n, (int out, int in, off_t *from, size_t n), real(out, in, from, n),
       real(out, in, from, n / 2), int, int, off_t *, size_t)
WRITES(ssize_t, sendfile64, out, n, (int out, int in, off_t *from, size_t n), real(out, in, from, n),
       real(out, in, from, n / 2), int, int, off_t *, size_t)
WRITES(ssize_t, copy_file_range, out, n,
       (int in, off_t *from, int out, off_t *to, size_t n, unsigned flags), real(in, from, out, to, n, flags),
       real(in, from, out, to, n / 2, flags), int, off_t *, int, off_t *, size_t, unsigned)

#define CALL(name, kind, fd, refuse, parameters, whole, ...)                                               \
    int name parameters {                                                                                  \
        REAL(int, #name, __VA_ARGS__);                                                                     \
        int what = next(kind, #name, fd);                                                                  \
        refuse(what);                                                                                      \
        int done = whole;                                                                                  \
        after(what, fd);                                                                                   \
        return done;                                                                                       \
    }

CALL(fsync, kind_of(fd), fd, ROOM, (int fd), real(fd), int)
CALL(fdatasync, kind_of(fd), fd, ROOM, (int fd), real(fd), int)
CALL(ftruncate, kind_of(fd), fd, ROOM, (int fd, off_t n), real(fd, n), int, off_t)
CALL(ftruncate64, kind_of(fd), fd, ROOM, (int fd, off_t n), real(fd, n), int, off_t)
CALL(fallocate, kind_of(fd), fd, ROOM, (int fd, int how, off_t at, off_t n), real(fd, how, at, n), int, int,
     off_t, off_t)
CALL(rename, NAMES, -1, FOLDER, (const char *a, const char *b), real(a, b), const char *, const char *)
CALL(renameat, NAMES, -1, FOLDER, (int da, const char *a, int db, const char *b), real(da, a, db, b), int,
     const char *, int, const char *)
CALL(unlink, NAMES, -1, FOLDER, (const char *a), real(a), const char *)
CALL(unlinkat, NAMES, -1, FOLDER, (int d, const char *a, int how), real(d, a, how), int, const char *, int)
CALL(link, NAMES, -1, BOTH, (const char *a, const char *b), real(a, b), const char *, const char *)
CALL(linkat, NAMES, -1, BOTH, (int da, const char *a, int db, const char *b, int how),
     real(da, a, db, b, how), int, const char *, int, const char *, int)
CALL(mkdir, NAMES, -1, BOTH, (const char *a, mode_t mode), real(a, mode), const char *, mode_t)
CALL(mkdirat, NAMES, -1, BOTH, (int d, const char *a, mode_t mode), real(d, a, mode), int, const char *,
     mode_t)
CALL(rmdir, NAMES, -1, FOLDER, (const char *a), real(a), const char *)
CALL(flock, kind_of(fd), fd, NEVER, (int fd, int how), real(fd, how), int, int)
CALL(connect, SOCKETS, fd, NEVER, (int fd, const struct sockaddr *to, socklen_t n), real(fd, to, n), int,
     const struct sockaddr *, socklen_t)

#define WRITING(how) ((how) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))

#define OPENS(name, parameters, last, whole, ...)                                                          \
    int name parameters {                                                                                  \
        REAL(int, #name, __VA_ARGS__, ...);                                                                \
        va_list more;                                                                                      \
        va_start(more, last);                                                                              \
        mode_t mode = how & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                              \
        va_end(more);                                                                                      \
        int what = WRITING(how) && strncmp(path, "/dev/", 5) && strncmp(path, "/proc/", 6)                 \
                       ? next(NAMES, #name, -1)                                                            \
                       : NOTHING;                                                                          \
        if (what == FULL && !(how & O_CREAT)) what = NOTHING;                                              \
        BOTH(what);                                                                                        \
        int done = whole;                                                                                  \
        after(what, -1);                                                                                   \
        return done;                                                                                       \
    }

OPENS(open, (const char *path, int how, ...), how, real(path, how, mode), const char *, int)
OPENS(open64, (const char *path, int how, ...), how, real(path, how, mode), const char *, int)
OPENS(openat, (int in, const char *path, int how, ...), how, real(in, path, how, mode), int, const char *, int)
OPENS(openat64, (int in, const char *path, int how, ...), how, real(in, path, how, mode), int, const char *,
      int)

/* The clock: what jumps is the time of day; what waits until a time of day waits as long as it meant to. */
int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int done = real(which, now);
    if (shift && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += shift;
    return done;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(int, "gettimeofday", struct timeval *, void *);
    int done = real(now, zone);
    if (shift) now->tv_sec += shift;
    return done;
}
time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    REAL(int, "sem_timedwait", sem_t *, const struct timespec *);
    struct timespec meant = *until;
    meant.tv_sec -= shift;
    return real(semaphore, &meant);
}
