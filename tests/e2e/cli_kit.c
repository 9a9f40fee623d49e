#include "cli_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX 40
#define LIMIT_MS 60000

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- worlds ---- */

int cli_world_setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    const char *temp = getenv("TMPDIR");
    assert_non_null(w);
    snprintf(w->folder, sizeof w->folder, "%s/catena-cli-XXXXXX", temp && temp[0] ? temp : "/tmp");
    assert_non_null(mkdtemp(w->folder));
    *state = w;
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char below[600];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(below);
        else
            (void) unlink(below);
    }
    if (dir)
        closedir(dir);
    (void) rmdir(path);
}

int cli_world_teardown(void **state)
{
    world *w = *state;
    remove_tree(w->folder);
    for (size_t i = 0; i < w->env_count; i++)
        free(w->env[i]);
    free(w);
    return 0;
}

void cli_world_env(world *w, const char *name_is_value)
{
    assert_true(w->env_count < ENV_MAX);
    w->env[w->env_count++] = strdup(name_is_value);
}

static void path_of(world *w, const char *name, char path[600])
{
    snprintf(path, 600, "%s/%s", w->folder, name);
}

void cli_world_write(world *w, const char *name, const char *format, ...)
{
    char path[600];
    va_list args;
    path_of(w, name, path);
    for (char *slash = path + strlen(w->folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void) mkdir(path, 0755);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    va_start(args, format);
    vfprintf(f, format, args);
    va_end(args);
    assert_int_equal(fclose(f), 0);
}

void cli_world_read(world *w, const char *name, char *text, size_t size)
{
    char path[600];
    path_of(w, name, path);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, size - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
}

bool cli_world_has(world *w, const char *name)
{
    char path[600];
    struct stat st;
    path_of(w, name, path);
    return stat(path, &st) == 0;
}

size_t cli_world_count(world *w, const char *name, const char *part)
{
    static char text[65536];
    cli_world_read(w, name, text, sizeof text);
    return count_in(text, part);
}

void cli_world_travel(world *w, const char *store)
{
    const char *pack = CATENA_SOURCE_DIR "/travel";
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:%s\n"
                    "servers:\n"
                    "  travel: {command: %s/travel/catena-travel, args: [serve], env: {CRM: crm.db}, trusted: true}\n"
                    "include: [\"%s/first-design/*.json\", \"%s/instruction-sets/*.yaml\", %s/templates/]\n",
                    store, CATENA_BUILD_DIR, pack, pack, pack);
}

void cli_world_example(world *w, const char *page, const char *first_line, const char *name)
{
    static char text[256 * 1024];
    char path[300], marker[100];
    snprintf(path, sizeof path, CATENA_SOURCE_DIR "/docs/%s", page);
    snprintf(marker, sizeof marker, "```yaml\n%s\n", first_line);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void) fclose(f);
    const char *from = strstr(text, marker);
    assert_non_null(from);
    from += strlen("```yaml\n");
    const char *to = strstr(from, "\n```");
    assert_non_null(to);
    cli_world_write(w, name, "%.*s\n", (int) (to - from), from);
}

/* ---- running ---- */

static void child_environment(world *w, char **env)
{
    static char path[2000], home[300];
    const char *system_path = getenv("PATH");
    size_t n = 0;
    snprintf(path, sizeof path, "PATH=%s:%s", CATENA_BUILD_DIR, system_path ? system_path : "/usr/bin:/bin");
    snprintf(home, sizeof home, "HOME=%s", w->folder);
    env[n++] = path;
    env[n++] = home;
    env[n++] = (char *) "LANG=C.UTF-8";
    env[n++] = (char *) "LC_ALL=C.UTF-8";
    env[n++] = (char *) "TZ=UTC";
    for (size_t i = 0; i < w->env_count; i++)
        env[n++] = w->env[i];
    env[n] = NULL;
}

static void become(world *w, const char *program, char **argv)
{
    char *env[ENV_MAX + 8];
    child_environment(w, env);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no owner behind */
    if (chdir(w->folder) == 0)
        execve(program, argv, env);
    _exit(127);
}

static running start(world *w, const char *input, const char *program, char **argv)
{
    int out[2], err[2], in[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        become(w, program, argv);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (input)
        assert_int_equal(write(in[1], input, strlen(input)), (ssize_t) strlen(input));
    close(in[1]);
    return (running){.pid = pid, .out_fd = out[0], .err_fd = err[0]};
}

/* False at its end. */
static bool take(int fd, char *text, size_t *len)
{
    char dropped[4096];
    bool has_room = *len + 1 < OUTPUT_MAX;
    ssize_t n = read(fd, has_room ? text + *len : dropped, has_room ? OUTPUT_MAX - 1 - *len : sizeof dropped);
    if (n > 0 && has_room) {
        *len += (size_t) n;
        text[*len] = '\0';
    }
    return n > 0;
}

int running_wait(world *w, running *r)
{
    size_t out_len = 0, err_len = 0;
    int status = 0;
    int64_t limit_ms = now_ms() + LIMIT_MS;
    w->said.out[0] = w->said.err[0] = '\0';
    while (r->out_fd >= 0 || r->err_fd >= 0) {
        struct pollfd fds[] = {{.fd = r->out_fd, .events = POLLIN}, {.fd = r->err_fd, .events = POLLIN}};
        if (poll(fds, 2, 100) < 0 && errno != EINTR)
            break;
        if (now_ms() > limit_ms)
            kill(r->pid, SIGKILL);
        if (fds[0].revents && !take(r->out_fd, w->said.out, &out_len)) {
            close(r->out_fd);
            r->out_fd = -1;
        }
        if (fds[1].revents && !take(r->err_fd, w->said.err, &err_len)) {
            close(r->err_fd);
            r->err_fd = -1;
        }
    }
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    r->pid = 0;
    w->said.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return w->said.exit_code;
}

running running_serve(world *w, const char *store)
{
    char socket[100];
    snprintf(socket, sizeof socket, "%s.sock", store);
    running r = catena_start(w, "serve", NULL);
    assert_true(fcntl(r.err_fd, F_SETPIPE_SZ, 1 << 20) > 0); /* nobody reads it before the end */
    for (int64_t limit_ms = now_ms() + 20000; !cli_world_has(w, socket); usleep(5000))
        assert_true(now_ms() < limit_ms);
    return r;
}

void running_stop(world *w, running *r)
{
    kill(r->pid, SIGTERM);
    assert_exit(w, running_wait(w, r), 0);
}

static const char *program_of(const world *w)
{
    return w->program ? w->program : CATENA_BUILD_DIR "/catena";
}

#define TAKE_ARGS(first, argv)                                                                                         \
    char *argv[ARGS_MAX] = {(char *) "catena"};                                                                        \
    do {                                                                                                               \
        va_list list;                                                                                                  \
        va_start(list, first);                                                                                         \
        for (size_t i = 1; i < ARGS_MAX - 1 && (argv[i] = va_arg(list, char *)); i++)                                  \
            ;                                                                                                          \
        va_end(list);                                                                                                  \
    } while (0)

int catena(world *w, ...)
{
    TAKE_ARGS(w, argv);
    running r = start(w, NULL, program_of(w), argv);
    return running_wait(w, &r);
}

int catena_fed(world *w, const char *input, ...)
{
    TAKE_ARGS(input, argv);
    running r = start(w, input, program_of(w), argv);
    return running_wait(w, &r);
}

running catena_start(world *w, ...)
{
    TAKE_ARGS(w, argv);
    return start(w, NULL, program_of(w), argv);
}

running shell_start(world *w, const char *line)
{
    char *argv[] = {(char *) "sh", (char *) "-c", (char *) line, NULL};
    return start(w, NULL, "/bin/sh", argv);
}

int shell(world *w, const char *line)
{
    running r = shell_start(w, line);
    return running_wait(w, &r);
}

int catena_on_terminal(world *w, ...)
{
    TAKE_ARGS(w, argv);
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    running r = {.err_fd = -1};
    r.pid = forkpty(&r.out_fd, NULL, NULL, &size);
    assert_true(r.pid >= 0);
    if (r.pid == 0)
        become(w, program_of(w), argv);
    return running_wait(w, &r); /* a read from a terminal that was left fails: that is its end */
}

/* ---- what was said ---- */

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        print_error("\"%s\" is not in:\n%s\n", part, text);
        fail();
    }
}

void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part)) {
        print_error("\"%s\" is in:\n%s\n", part, text);
        fail();
    }
}

void assert_exit_(world *w, int code, int expected, const char *file, int line)
{
    if (code == expected)
        return;
    print_error("exit %d, not %d\nstdout: %s\nstderr: %s\n", code, expected, w->said.out, w->said.err);
    _fail(file, line);
}

size_t count_in(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

void offered(world *w, const char *label, int nth, char command[COMMAND_MAX])
{
    const char *at = w->said.err;
    for (int i = 0; i <= nth; i++) {
        at = strstr(at, label);
        if (!at)
            fail_msg("there are no %d \"%s\" in:\n%s", nth + 1, label, w->said.err);
        at += strlen(label);
    }
    at = strstr(at, "catena ");
    assert_non_null(at);
    snprintf(command, COMMAND_MAX, "%.*s", (int) strcspn(at, "\n"), at);
}

void json_text(const char *text, const char *name, char *value)
{
    char key[80];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(text, key);
    value[0] = '\0';
    if (!at)
        return;
    at += strlen(key);
    at += strspn(at, " \"");
    size_t len = strcspn(at, "\",}\n");
    memcpy(value, at, len < 63 ? len : 63);
    value[len < 63 ? len : 63] = '\0';
}

void cli_world_await(world *w, const char *file, const char *text)
{
    char found[8192];
    for (int64_t limit_ms = now_ms() + 20000; now_ms() < limit_ms;) {
        cli_world_read(w, file, found, sizeof found);
        if (strstr(found, text))
            return;
        usleep(10000);
    }
    print_error("%s never held \"%s\"\n", file, text);
    fail();
}

void newest_id(world *w, char *id)
{
    assert_exit(w, catena(w, "list", "--json", "--limit", "1", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_int_equal(strlen(id), 36);
}

const char *peer_program(void)
{
    return CATENA_BUILD_DIR "/tests/peer_mcp";
}
