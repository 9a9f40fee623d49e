/*
 * mcp_pipe.c -- see mcp_pipe.h.
 */
#include "mcp_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t) 8 << 20)
#define LATE_MS        20000

static void become(world *w, const char *program)
{
    char path[2000], home[300];
    char *env[ENV_MAX + 4] = {path, home, (char *) "LC_ALL=C.UTF-8"};
    char *argv[] = {(char *) "catena", (char *) "mcp", (char *) "-q", NULL};
    snprintf(path, sizeof path, "PATH=%s:/usr/bin:/bin", CATENA_BUILD_DIR);
    snprintf(home, sizeof home, "HOME=%s", w->folder);
    for (size_t i = 0; i < w->env_count; i++)
        env[i + 3] = w->env[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(w->folder) == 0)
        execve(program ? program : CATENA_BUILD_DIR "/catena", argv, env);
    _exit(127);
}

void mcp_pipe_open(mcp_pipe *p, world *w, const char *program, bool is_modern)
{
    int in[2], out[2];
    signal(SIGPIPE, SIG_IGN);
    *p = (mcp_pipe){.arena = ctn_arena_new(65536), .next_id = 1, .is_modern = is_modern};
    ctn_buf_init(&p->text, LINE_MAX_BYTES);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        become(w, program);
    }
    close(in[0]);
    close(out[1]);
    p->in_fd = in[1];
    p->out_fd = out[0];
    if (!is_modern)
        assert_non_null(
            mcp_pipe_ask(p, "initialize",
                         "'protocolVersion':'2025-11-25','capabilities':{},'clientInfo':{'name':'assistant',"
                         "'version':'1'}"));
}

static int over(mcp_pipe *p)
{
    int status = 0;
    close(p->in_fd);
    close(p->out_fd);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    ctn_buf_done(&p->text);
    ctn_arena_free(p->arena);
    p->pid = 0;
    return status;
}

void mcp_pipe_close(mcp_pipe *p)
{
    close(p->in_fd);
    p->in_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char rest[4096];
    while (read(p->out_fd, rest, sizeof rest) > 0) /* to its end */
        ;
    assert_int_equal(over(p), 0);
}

void mcp_pipe_kill(mcp_pipe *p)
{
    (void) kill(p->pid, SIGKILL);
    (void) over(p);
}

/* The next line; NULL: there is none any more. */
static const ctn_json *hear(mcp_pipe *p)
{
    for (;;) {
        const char *end = p->text.len ? memchr(p->text.data, '\n', p->text.len) : NULL;
        if (end) {
            const ctn_json *m = NULL;
            ctn_str line = {p->text.data, (size_t) (end - p->text.data)};
            if (ctn_json_parse(p->arena, line, NULL, &m, NULL))
                fail_msg("no JSON on stdout: %.*s", CTN_STR_ARG(line));
            ctn_buf_consume(&p->text, line.len + 1);
            return m;
        }
        struct pollfd ready = {.fd = p->out_fd, .events = POLLIN};
        if (poll(&ready, 1, LATE_MS) <= 0)
            fail_msg("no answer in %d s", LATE_MS / 1000);
        char *room = ctn_buf_reserve(&p->text, 65536);
        assert_non_null(room);
        ssize_t n = read(p->out_fd, room, 65536);
        if (n <= 0)
            return NULL;
        p->text.len += (size_t) n;
    }
}

static ctn_str with_quotes(ctn_arena *arena, ctn_str text)
{
    char *out = (char *) ctn_arena_str(arena, text).ptr;
    for (size_t i = 0; i < text.len; i++)
        if (out[i] == '\'')
            out[i] = '"';
    return (ctn_str){out, text.len};
}

static ctn_str meta_of(mcp_pipe *p)
{
    ctn_str key = p->key ? ctn_arena_printf(p->arena, "'dev.catena/idempotency-key':'%s'", p->key) : (ctn_str){0};
    if (!p->is_modern)
        return ctn_arena_printf(p->arena, "'_meta':{%.*s}", CTN_STR_ARG(key));
    return ctn_arena_printf(p->arena,
                            "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28',"
                            "'io.modelcontextprotocol/clientCapabilities':{%s%s%s}%s%.*s}",
                            p->has_form ? "'elicitation':{}" : "", p->has_form && p->has_tasks ? "," : "",
                            p->has_tasks ? "'extensions':{'io.modelcontextprotocol/tasks':{}}" : "", key.len ? "," : "",
                            CTN_STR_ARG(key));
}

const ctn_json *mcp_pipe_ask(mcp_pipe *p, const char *method, const char *format, ...)
{
    long id = p->next_id++;
    va_list args;
    va_start(args, format);
    ctn_str params = ctn_arena_vprintf(p->arena, format, args);
    va_end(args);
    ctn_str line = ctn_arena_printf(p->arena, "{'jsonrpc':'2.0','id':%ld,'method':'%s','params':{%.*s%s%.*s}}\n", id,
                                    method, CTN_STR_ARG(params), params.len ? "," : "", CTN_STR_ARG(meta_of(p)));
    line = with_quotes(p->arena, line);
    if (write(p->in_fd, line.ptr, line.len) != (ssize_t) line.len)
        return NULL;
    for (;;) {
        const ctn_json *m = hear(p);
        if (!m || (!ctn_json_member_of(m, "method") && ctn_json_int_or(m, "id", -1) == id))
            return m;
    }
}

const char *mcp_pipe_at(mcp_pipe *p, const ctn_json *answer, const char *pointer)
{
    const ctn_json *v = ctn_json_pointer(answer, ctn_str_from(pointer));
    if (!v)
        return "";
    return ctn_arena_str(p->arena, ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(p->arena, v))
        .ptr;
}
