/*
 * confine.c -- see confine.h.
 *
 * The header of the kernel that we are compiled with may be older than the kernel that we run on, so what it may lack
 * is said here. A kernel takes a structure that is longer than its own if what it does not know is zero.
 *
 * The filter of system calls does not look at what a call points to, so there is nothing to win by changing it in
 * between. Calls of another architecture would pass by other numbers: they end the process.
 */
#include "loop/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/spawner.h"

/* ---- limits ---- */

static uint64_t threads_now(void)
{
    char text[128];
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC); /* 0.20 0.18 0.12 1/80 11206: running/all */
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    const char *digit = strchr(text, '/');
    uint64_t count = 0;
    for (digit = digit ? digit + 1 : ""; *digit >= '0' && *digit <= '9'; digit++)
        count = count * 10 + (uint64_t) (*digit - '0');
    return count;
}

/* A lower one that we already have is as good. */
static bool limit(__rlimit_resource_t what, uint64_t soft, uint64_t hard)
{
    struct rlimit now;
    if (getrlimit(what, &now))
        return false;
    struct rlimit wanted = {soft < now.rlim_max ? soft : now.rlim_max, hard < now.rlim_max ? hard : now.rlim_max};
    return setrlimit(what, &wanted) == 0;
}

static bool limit_resources(const ctn_spawn_limits *l)
{
    /* The kernel counts all that its user runs: what there is, whoever's it is, and so many more. Asked once: it may be
     * fewer a moment later, and a limit below the other one is none. */
    uint64_t processes = l->processes ? threads_now() + l->processes : 0;
    /* SIGXCPU at the limit, SIGKILL a second later for one that goes on. */
    return limit(RLIMIT_CORE, 0, 0) && (!l->cpu_s || limit(RLIMIT_CPU, l->cpu_s, l->cpu_s + 1)) &&
           (!l->memory_bytes || limit(RLIMIT_AS, l->memory_bytes, l->memory_bytes)) &&
           (!l->file_bytes || limit(RLIMIT_FSIZE, l->file_bytes, l->file_bytes)) &&
           (!l->open_files || limit(RLIMIT_NOFILE, l->open_files, l->open_files)) &&
           (!l->processes || limit(RLIMIT_NPROC, processes, processes));
}

/* ---- files ---- */

typedef struct landlock_rules {
    uint64_t files, network, scoped;
} landlock_rules;

#define ACCESS_TRUNCATE  (UINT64_C(1) << 14) /* from version 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* from version 5 */
#define SCOPE_ALL        UINT64_C(3)         /* abstract sockets and signals, from version 6 */

#define FILE_READ   (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE)
#define FILE_WRITE  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define FOLDER_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define FOLDER_WRITE                                                                                                   \
    (FILE_WRITE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |       \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                        \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
#define FILE_ANY (FILE_READ | FILE_WRITE)

static const char *const SYSTEM_READABLE[] = {"/usr",
                                              "/bin",
                                              "/sbin",
                                              "/lib",
                                              "/lib32",
                                              "/lib64",
                                              "/libx32",
                                              "/opt",
                                              "/nix/store",
                                              "/etc",
                                              "/proc",
                                              "/sys/devices/system/cpu",
                                              "/run/systemd/resolve",
                                              "/dev/random",
                                              "/dev/urandom"};
static const char *const SYSTEM_WRITABLE[] = {"/dev/null", "/dev/zero", "/dev/full"};

static int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int) version : 0;
}

static uint64_t files_known(int version)
{
    uint64_t known = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    known |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    known |= version >= 3 ? ACCESS_TRUNCATE : 0;
    return known | (version >= 5 ? ACCESS_IOCTL_DEV : 0);
}

/* 0, or errno. */
static int allow(int rules, uint64_t known, const char *path, bool may_write)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno;
    struct stat st;
    int error = fstat(fd, &st) ? errno : 0;
    uint64_t access = may_write ? FOLDER_WRITE : FOLDER_READ;
    if (!S_ISDIR(st.st_mode))
        access &= FILE_ANY;
    struct landlock_path_beneath_attr rule = {.allowed_access = access & known, .parent_fd = fd};
    if (!error && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        error = errno;
    close(fd);
    return error;
}

/* The program and where it is looked for. What is not there is told when it is started. */
static void allow_program(int rules, uint64_t known, const ctn_confinement *c)
{
    if (strchr(c->program, '/')) {
        (void) allow(rules, known, c->program, false);
        return;
    }
    for (const char *const *variable = c->environment; *variable; variable++) {
        if (strncmp(*variable, "PATH=", 5) != 0)
            continue;
        char path[4096];
        for (const char *folder = *variable + 5;;) {
            size_t len = strcspn(folder, ":");
            if (len > 0 && len < sizeof path) {
                memcpy(path, folder, len);
                path[len] = 0;
                (void) allow(rules, known, path, false);
            }
            if (!folder[len])
                break;
            folder += len + 1;
        }
    }
}

static ctn_confine_failure allow_named(int rules, uint64_t known, const ctn_spawn_limits *l)
{
    int32_t count = 0;
    for (int may_write = 0; may_write < 2; may_write++)
        for (const char *const *path = may_write ? l->writable : l->readable; path && *path; path++, count++) {
            int error = allow(rules, known, *path, may_write);
            if (error)
                return (ctn_confine_failure){.stage = CTN_SPAWN_PATH, .error = error, .path = count};
        }
    return (ctn_confine_failure){.stage = CTN_SPAWN_STARTED};
}

static ctn_confine_failure confine_files(const ctn_confinement *c)
{
    int version = landlock_version();
    if (!version)
        return (ctn_confine_failure){.stage = c->limits->must_confine_files ? CTN_SPAWN_FILES : CTN_SPAWN_STARTED,
                                     .error = EOPNOTSUPP};
    uint64_t known = files_known(version);
    landlock_rules attributes = {.files = known, .scoped = version >= 6 ? SCOPE_ALL : 0};
    int rules = (int) syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0)
        return (ctn_confine_failure){.stage = CTN_SPAWN_FILES, .error = errno};
    for (size_t i = 0; i < sizeof SYSTEM_READABLE / sizeof SYSTEM_READABLE[0]; i++)
        (void) allow(rules, known, SYSTEM_READABLE[i], false); /* no system has all of them */
    for (size_t i = 0; i < sizeof SYSTEM_WRITABLE / sizeof SYSTEM_WRITABLE[0]; i++)
        (void) allow(rules, known, SYSTEM_WRITABLE[i], true);
    allow_program(rules, known, c);
    ctn_confine_failure failure = allow_named(rules, known, c->limits);
    if (!failure.stage && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        failure = (ctn_confine_failure){.stage = CTN_SPAWN_FILES, .error = errno};
    close(rules);
    return failure;
}

bool ctn_spawn_can_confine_files(void)
{
    return landlock_version() > 0;
}

/* ---- network ---- */

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#define FOREIGN_NUMBERS  0x40000000 /* of x32, which says it is x86_64 */
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#define FOREIGN_NUMBERS  0xffffffff
#endif

static int confine_network(void)
{
#ifdef OWN_ARCHITECTURE
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_NUMBERS, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 1, 0), /* it can make sockets */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? errno : 0;
#else
    return EOPNOTSUPP;
#endif
}

ctn_confine_failure ctn_confine(const ctn_confinement *c)
{
    if (!limit_resources(c->limits))
        return (ctn_confine_failure){.stage = CTN_SPAWN_LIMITS, .error = errno};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return (ctn_confine_failure){.stage = CTN_SPAWN_LIMITS, .error = errno};
    ctn_confine_failure failure = confine_files(c);
    if (failure.stage)
        return failure;
    int error = c->limits->no_network ? confine_network() : 0;
    return (ctn_confine_failure){.stage = error ? CTN_SPAWN_NETWORK : CTN_SPAWN_STARTED, .error = error};
}
