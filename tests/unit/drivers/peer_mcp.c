/*
 * peer_mcp -- a tool server for tests that behaves, misbehaves and dies as it is told on its command line.
 *
 *     peer_mcp [MODE]... [--ledger FILE] [--delay-before MS] [--delay-after MS] [--per-page N] [--refuse-version N]
 *              [--pid-file FILE] [--mark TEXT] [--mib N] [--shape FILE]
 *
 * With --ledger every executed call appends one line, "TOOL KEY PID MARK", KEY being its idempotency key or "-", with
 * one write(2): what is in the ledger has happened, whoever dies afterwards. The delays are spent before and after that
 * line. Calls that sleep do it in a process of their own, so many are in flight at once and answers come in any order.
 *
 * Modes: modern, legacy (default: both eras); discover-silent; dies-at-once; dies-in-call (after the ledger line);
 * dies-before-call; garbage (a few lines before each answer); garbage-flood (endless, at the first call); hang (never
 * answers a call); hang-all (never answers anything); double-answer; unknown-ids; asks (sends requests of its own
 * before it answers a call); list-changed (one more tool after each list); ignore-end (ignores end of file and
 * SIGTERM); close-stdout (at the first call, and lives on); input-required; flood-stderr; half-line (dies in the middle
 * of an answer); grandchild (dies in the call, leaving a process that holds its pipes); progress (three notifications
 * for each call).
 *
 * --die-at N, --die-in N, --die-after N, with --once FILE: killed when line N comes, in the middle of what is said to
 * it, or after that; only in the life that makes the file.
 *
 * hostile: control characters in progress and on stderr; read_line dies after them.
 *
 * With --shape the first word of the file, when the process begins, says what write_line is: wider (a new optional
 * argument), narrower (its line has a length), another (its description), gone.
 *
 * Floods, of --mib MiB (20), at calls other than sleep_ms and check_line: long-line and long-tail (an answer with its
 * id first, or last), deep-line (one nested as deep), long-notice (a notification, then the answer), endless-line (no
 * answer and no end of line), progress-flood and error-flood (notifications of progress, or lines on stderr, then the
 * answer), long-list (the list of tools).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "wire/mcp_server.h"

typedef struct peer {
    unsigned modes; /* bits, see MODES */
    const char *ledger, *mark, *shape;
    ctn_mcp_server_tool *tools; /* TOOLS, or changed by the shape */
    size_t tool_count;
    int64_t delay_before_ms, delay_after_ms, per_page, refuse_version, mib;
    int64_t die_at, die_in, die_after, lines; /* numbers of lines that came, from 1; 0: not */
    const char *once;
    ctn_mcp_server *server;
    ctn_buf out;
    size_t lists;
    size_t pings_answered;
} peer;

enum {
    MODERN,
    LEGACY,
    DISCOVER_SILENT,
    DIES_AT_ONCE,
    DIES_IN_CALL,
    DIES_BEFORE_CALL,
    GARBAGE,
    GARBAGE_FLOOD,
    HANG,
    HANG_ALL,
    LONG_LINE,
    DOUBLE_ANSWER,
    UNKNOWN_IDS,
    ASKS,
    LIST_CHANGED,
    IGNORE_END,
    CLOSE_STDOUT,
    INPUT_REQUIRED,
    FLOOD_STDERR,
    HALF_LINE,
    GRANDCHILD,
    PROGRESS,
    LONG_TAIL,
    DEEP_LINE,
    LONG_NOTICE,
    ENDLESS_LINE,
    PROGRESS_FLOOD,
    ERROR_FLOOD,
    LONG_LIST,
    HOSTILE,
    MODE_COUNT
};
static const char *const MODES[MODE_COUNT] = {
    "modern",           "legacy",         "discover-silent", "dies-at-once", "dies-in-call",
    "dies-before-call", "garbage",        "garbage-flood",   "hang",         "hang-all",
    "long-line",        "double-answer",  "unknown-ids",     "asks",         "list-changed",
    "ignore-end",       "close-stdout",   "input-required",  "flood-stderr", "half-line",
    "grandchild",       "progress",       "long-tail",       "deep-line",    "long-notice",
    "endless-line",     "progress-flood", "error-flood",     "long-list",    "hostile",
};

static bool is_mode(const peer *p, int mode)
{
    return p->modes >> mode & 1;
}

enum {
    WRITE_LINE,
    READ_LINE,
    IDEMPOTENT_LINE,
    CHECK_LINE,
    SLEEP_MS,
    FAIL,
    PROTOCOL_FAIL,
    ECHO,
    TYPED,
    BAD_OUTPUT,
    PEER_STATE,
    EXTRA
};
#define LINE_SCHEMA "{\"type\":\"object\",\"properties\":{\"line\":{\"type\":\"string\"}}}"
#define N_SCHEMA                                                                                                       \
    "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"],"                         \
    "\"additionalProperties\":false}"
static const ctn_mcp_server_tool TOOLS[] = {
    {.name = "write_line", .description = "Appends to the ledger", .input_schema = LINE_SCHEMA},
    {.name = "read_line", .input_schema = LINE_SCHEMA, .is_read_only = true},
    {.name = "idempotent_line", .input_schema = LINE_SCHEMA, .is_idempotent = true},
    {.name = "check_line",
     .description = "Was the call with this key executed?",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\"}},\"required\":[\"key\"]}",
     .is_read_only = true},
    {.name = "sleep_ms",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"ms\":{\"type\":\"integer\",\"minimum\":0}},"
                     "\"required\":[\"ms\"]}",
     .is_read_only = true},
    {.name = "fail", .input_schema = "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"}}}"},
    {.name = "protocol_fail", .input_schema = "{\"type\":\"object\"}"},
    {.name = "echo", .input_schema = "{\"type\":\"object\"}", .is_read_only = true},
    {.name = "typed", .input_schema = N_SCHEMA, .output_schema = N_SCHEMA},
    {.name = "bad_output", .input_schema = "{\"type\":\"object\"}", .output_schema = N_SCHEMA},
    {.name = "peer_state", .input_schema = "{\"type\":\"object\"}", .is_read_only = true},
    {.name = "extra", .input_schema = "{\"type\":\"object\"}"}, /* listed by list-changed only */
};
#define TOOL_COUNT (sizeof TOOLS / sizeof *TOOLS)

static void sleep_ms(int64_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000};
    if (ms > 0)
        (void) nanosleep(&span, NULL);
}

static void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written <= 0)
            _exit(0);
        bytes += written;
        len -= (size_t) written;
    }
}

static void write_text(int fd, const char *text)
{
    write_all(fd, text, strlen(text));
}

/* ---- the ledger ---- */

/* Tells progress each tick: the call is done by a process of its own, so it may write by itself. */
static void sleep_with_ticks(const ctn_mcp_server_call *call, int64_t ms, int64_t tick_ms)
{
    for (int i = 1; tick_ms > 0 && ms > tick_ms; i++, ms -= tick_ms) {
        sleep_ms(tick_ms);
        ctn_mcp_write_progress(call->out, call->arena, call->progress_token, i, 1000, CTN_STR("working"));
        write_all(STDOUT_FILENO, call->out->data, call->out->len);
        ctn_buf_clear(call->out);
    }
    sleep_ms(ms);
}

static void record(const peer *p, const char *tool, ctn_str key)
{
    sleep_ms(p->delay_before_ms);
    if (p->ledger) {
        char line[512];
        int len = snprintf(line, sizeof line, "%s %.*s %d%s%s\n", tool, (int) (key.len ? key.len : 1),
                           key.len ? key.ptr : "-", (int) getpid(), p->mark ? " " : "", p->mark ? p->mark : "");
        int fd = open(p->ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd < 0 || len < 0 || write(fd, line, (size_t) len) != len)
            abort();
        (void) close(fd);
    }
    sleep_ms(p->delay_after_ms);
}

static bool is_recorded(const peer *p, ctn_str key)
{
    bool found = false;
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = p->ledger ? fopen(p->ledger, "re") : NULL;
    while (file && !found && getline(&line, &capacity, file) > 0) {
        ctn_str rest = ctn_str_from(line);
        (void) ctn_str_cut(&rest, ' ');
        found = ctn_str_equal(ctn_str_cut(&rest, ' '), key);
    }
    free(line);
    if (file)
        (void) fclose(file);
    return found;
}

/* ---- tools ---- */

/* Clears the screen, rings, sets a title, begins a sequence by a C1 byte, turns the writing around. */
#define HOSTILE_TEXT                                                                                                   \
    "h\x1b[2J\x07\x1b]0;owned\x07\xc2\x9b"                                                                             \
    "31m\xe2\x80\xae\x7f\r\xe2\x80\xa8t"

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    peer *p = ctx;
    ctn_json_builder value = ctn_json_object(call->arena);
    const char *name = p->tools[call->tool].name;
    if (is_mode(p, HOSTILE)) {
        ctn_mcp_write_progress(call->out, call->arena, call->progress_token, 1, 3, CTN_STR(HOSTILE_TEXT));
        write_text(STDERR_FILENO, HOSTILE_TEXT "\xff\xfe not UTF-8\n");
        if (call->tool == READ_LINE)
            _exit(5);
    }
    if (is_mode(p, PROGRESS))
        for (int i = 1; i <= 3; i++)
            ctn_mcp_write_progress(call->out, call->arena, call->progress_token, i, 3, CTN_STR("working"));
    switch (call->tool) {
    case CHECK_LINE: {
        bool happened = is_recorded(p, ctn_json_str_or(call->arguments, "key", (ctn_str){0}));
        ctn_json_put_bool(&value, "happened", happened);
        if (happened) {
            ctn_json_builder result = ctn_json_object(call->arena);
            ctn_json_put_str(&result, "line", CTN_STR("recorded"));
            ctn_json_put(&value, CTN_STR("result"), ctn_json_finish(&result));
        }
        break;
    }
    case SLEEP_MS:
        sleep_with_ticks(call, ctn_json_int_or(call->arguments, "ms", 0), ctn_json_int_or(call->arguments, "tick", 0));
        ctn_json_put(&value, CTN_STR("ms"), ctn_json_member_of(call->arguments, "ms"));
        break;
    case FAIL:
        record(p, name, call->idempotency_key);
        ret_reply->error = ctn_json_str_or(call->arguments, "message", CTN_STR("failed as asked"));
        if (ctn_json_member_of(call->arguments, "failure"))
            ret_reply->failure =
                ctn_arena_str(call->arena, ctn_json_str_or(call->arguments, "failure", CTN_STR(""))).ptr;
        ret_reply->usage = ctn_json_member_of(call->arguments, "usage");
        return;
    case PROTOCOL_FAIL:
        ret_reply->error = CTN_STR("refused as asked");
        ret_reply->protocol_error = CTN_RPC_INTERNAL_ERROR;
        return;
    case ECHO:
        ret_reply->value = call->arguments;
        ret_reply->usage = ctn_json_member_of(call->arguments, "usage");
        return;
    case TYPED: ctn_json_put(&value, CTN_STR("n"), ctn_json_member_of(call->arguments, "n")); break;
    case BAD_OUTPUT: ctn_json_put_str(&value, "n", CTN_STR("seven")); break;
    case PEER_STATE:
        ctn_json_put_int(&value, "pid", getpid());
        ctn_json_put_int(&value, "answersToPings", (int64_t) p->pings_answered);
        ctn_json_put_str(&value, "key", call->idempotency_key);
        ctn_json_put_str(&value, "variable", ctn_str_from(getenv("PEER_VARIABLE")));
        ctn_json_put_bool(&value, "seesSecret", getenv("CATENA_TEST_SECRET") != NULL);
        break;
    default:
        record(p, name, call->idempotency_key);
        ctn_json_put_str(&value, "line", ctn_json_str_or(call->arguments, "line", (ctn_str){0}));
        ctn_json_put_str(&value, "key", call->idempotency_key);
        break;
    }
    ret_reply->value = ctn_json_finish(&value);
}

/* ---- misbehaviour ---- */

static void before_call(peer *p, ctn_str line)
{
    if (is_mode(p, DIES_BEFORE_CALL))
        _exit(4);
    if (is_mode(p, GARBAGE_FLOOD))
        for (;;)
            write_text(STDOUT_FILENO, "all work and no play makes a dull server\n");
    if (is_mode(p, GARBAGE))
        write_text(STDOUT_FILENO, "starting up...\n\n{\"half\": \n[1,2]\n{}\n\xff\xfe\n");
    if (is_mode(p, UNKNOWN_IDS))
        write_text(STDOUT_FILENO, "{\"jsonrpc\":\"2.0\",\"id\":987654,\"result\":{\"content\":[]}}\n"
                                  "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"content\":[]}}\n"
                                  "{\"jsonrpc\":\"2.0\",\"id\":-1,\"error\":{\"code\":1,\"message\":\"?\"}}\n");
    if (is_mode(p, ASKS))
        write_text(STDOUT_FILENO, "{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"method\":\"ping\"}\n"
                                  "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"roots/list\"}\n");
    if (is_mode(p, CLOSE_STDOUT)) {
        (void) close(STDOUT_FILENO);
        for (;;)
            (void) pause();
    }
    (void) line;
}

/* ---- floods ---- */

static void write_many(const peer *p, int fd, const char *piece)
{
    static char chunk[1 << 20];
    size_t len = strlen(piece), count = sizeof chunk / len;
    for (size_t i = 0; i < count; i++)
        memcpy(chunk + i * len, piece, len);
    for (int64_t i = 0; i < p->mib; i++)
        write_all(fd, chunk, count * len);
}

static void long_answer(peer *p, const ctn_rpc_message *m)
{
    char begin[100];
    int64_t number = 0;
    (void) ctn_json_to_int64(m->id, &number);
    long long id = number;
    ctn_buf_clear(&p->out);
    if (is_mode(p, LONG_TAIL)) {
        write_text(STDOUT_FILENO, "{\"result\":{\"structuredContent\":{\"id\":99,\"text\":\"");
        write_many(p, STDOUT_FILENO, "x\\\"}],");
        (void) snprintf(begin, sizeof begin, "\",\"id\":98}},\"jsonrpc\":\"2.0\",\"id\":%lld}\n", id);
        write_text(STDOUT_FILENO, begin);
        return;
    }
    (void) snprintf(begin, sizeof begin, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"structuredContent\":", id);
    write_text(STDOUT_FILENO, begin);
    write_many(p, STDOUT_FILENO, is_mode(p, DEEP_LINE) ? "[{\"a\":" : "[1],");
    write_text(STDOUT_FILENO, "}}\n");
}

static void flood(peer *p, const ctn_rpc_message *m)
{
    ctn_str tool = ctn_json_str_or(m->params, "name", (ctn_str){0});
    if (ctn_str_is(tool, "sleep_ms") || ctn_str_is(tool, "check_line"))
        return;
    if (is_mode(p, LONG_LINE) || is_mode(p, LONG_TAIL) || is_mode(p, DEEP_LINE))
        long_answer(p, m);
    if (is_mode(p, LONG_NOTICE)) {
        write_text(STDOUT_FILENO, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"data\":\"");
        write_many(p, STDOUT_FILENO, "x");
        write_text(STDOUT_FILENO, "\"}}\n");
    }
    if (is_mode(p, ENDLESS_LINE))
        for (;;)
            write_many(p, STDOUT_FILENO, "x");
    if (is_mode(p, ERROR_FLOOD))
        write_many(p, STDERR_FILENO, "all work and no play makes a dull server, and so it goes on and on and on\n");
    if (is_mode(p, PROGRESS_FLOOD)) {
        char line[65536];
        const ctn_json *token = ctn_json_member_of(ctn_json_member_of(m->params, "_meta"), "progressToken");
        int64_t number = 0;
        (void) ctn_json_to_int64(token, &number);
        int len = snprintf(line, sizeof line,
                           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":"
                           "%lld,\"progress\":1,\"total\":2,\"message\":\"%060000d\"}}\n",
                           (long long) number, 0);
        for (int64_t sent = 0; sent < p->mib << 20; sent += len)
            write_all(STDOUT_FILENO, line, (size_t) len);
    }
}

/* The call was executed and its answer is in `out`. */
static void after_call(peer *p, const ctn_rpc_message *m)
{
    if (is_mode(p, GRANDCHILD) && fork() == 0) {
        (void) setpgid(0, 0);
        for (;;)
            (void) pause();
    }
    if (is_mode(p, HALF_LINE))
        write_all(STDOUT_FILENO, p->out.data, p->out.len / 2);
    if (is_mode(p, DIES_IN_CALL) || is_mode(p, GRANDCHILD) || is_mode(p, HALF_LINE)) {
        write_text(STDERR_FILENO, "dying as asked\n");
        _exit(5);
    }
    flood(p, m);
    if (is_mode(p, HANG))
        ctn_buf_clear(&p->out);
    if (is_mode(p, INPUT_REQUIRED)) {
        ctn_buf_clear(&p->out);
        const ctn_json *result = NULL;
        ctn_arena *arena = ctn_arena_new(1024);
        if (ctn_json_parse(arena, CTN_STR("{\"resultType\":\"input_required\",\"requestState\":\"s\"}"), NULL, &result,
                           NULL))
            abort();
        ctn_rpc_write_result(&p->out, m->id, result);
        ctn_arena_free(arena);
    }
    if (is_mode(p, DOUBLE_ANSWER))
        write_all(STDOUT_FILENO, p->out.data, p->out.len);
}

static void refuse_version(peer *p, const ctn_rpc_message *m)
{
    p->refuse_version--;
    const ctn_json *data = NULL;
    ctn_arena *arena = ctn_arena_new(1024);
    if (ctn_json_parse(arena, CTN_STR("{\"supported\":[\"2026-07-28\"]}"), NULL, &data, NULL))
        abort();
    ctn_rpc_write_error(&p->out, m->id, CTN_MCP_UNSUPPORTED_VERSION, CTN_STR("not now"), data);
    ctn_arena_free(arena);
}

static void take_shape(peer *p)
{
    char word[16] = "";
    FILE *file = fopen(p->shape, "re");
    bool is_read = file && fscanf(file, "%15s", word) == 1;
    if (file)
        (void) fclose(file);
    if (!is_read)
        return;
    ctn_mcp_server_tool *write_line = p->tools;
    if (strcmp(word, "wider") == 0) {
        write_line->input_schema = "{\"type\":\"object\",\"properties\":{\"line\":{\"type\":\"string\"},\"more\":{}}}";
    } else if (strcmp(word, "narrower") == 0) {
        write_line->input_schema =
            "{\"type\":\"object\",\"properties\":{\"line\":{\"type\":\"string\",\"minLength\":1}}}";
    } else if (strcmp(word, "another") == 0) {
        write_line->description = "Empties the ledger";
    } else if (strcmp(word, "gone") == 0) {
        p->tools++;
        p->tool_count--;
    }
}

static int start_server(peer *p)
{
    ctn_err err;
    bool has_extra = is_mode(p, LIST_CHANGED) && p->lists > 0;
    ctn_mcp_server_options options = {
        .name = "peer_mcp",
        .version = "1",
        .tools = p->tools,
        .tool_count = has_extra ? p->tool_count : p->tool_count - 1,
        .tools_per_page = (size_t) p->per_page,
        .call = on_call,
        .ctx = p,
        .without_modern = is_mode(p, LEGACY) || is_mode(p, DISCOVER_SILENT),
        .without_legacy = is_mode(p, MODERN),
    };
    ctn_mcp_server_free(p->server);
    if (ctn_mcp_server_new(&options, &p->server, &err)) {
        (void) fprintf(stderr, "peer_mcp: %s\n", err.message);
        return 2;
    }
    return 0;
}

static bool is_slow(const peer *p, const ctn_rpc_message *m)
{
    return ctn_str_is(ctn_json_str_or(m->params, "name", (ctn_str){0}), "sleep_ms") || p->delay_before_ms > 0 ||
           p->delay_after_ms > 0;
}

/* By SIGKILL, in the one life that makes the file. */
static void die_once(const peer *p)
{
    int fd = p->once ? open(p->once, O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        (void) raise(SIGKILL);
}

static void say(peer *p)
{
    if (p->lines == p->die_in && p->out.len && access(p->once, F_OK) != 0) {
        write_all(STDOUT_FILENO, p->out.data, p->out.len / 2);
        die_once(p);
    }
    write_all(STDOUT_FILENO, p->out.data, p->out.len);
    ctn_buf_clear(&p->out);
}

static void serve(peer *p, ctn_arena *arena, ctn_str line)
{
    ctn_rpc_message m;
    ctn_arena_reset(arena);
    bool is_message = ctn_rpc_parse(arena, line, &m, NULL) == CTN_OK;
    bool is_request = is_message && m.kind == CTN_RPC_REQUEST;
    bool is_call = is_request && ctn_str_is(m.method, "tools/call");
    if (is_message && m.kind == CTN_RPC_RESULT && ctn_str_is(ctn_json_text(m.id), "p1"))
        p->pings_answered++;
    if (is_mode(p, HANG_ALL) || (is_mode(p, DISCOVER_SILENT) && is_request && ctn_str_is(m.method, "server/discover")))
        return;
    if (is_request && p->refuse_version > 0) {
        refuse_version(p, &m);
    } else if (is_call) {
        before_call(p, line);
        bool is_child = is_slow(p, &m) && fork() == 0;
        if (is_slow(p, &m) && !is_child)
            return;
        ctn_mcp_server_line(p->server, line, &p->out);
        after_call(p, &m);
        say(p);
        if (is_child)
            _exit(0);
        return;
    } else {
        ctn_mcp_server_line(p->server, line, &p->out);
        if (is_mode(p, LONG_LIST) && is_request && ctn_str_is(m.method, "tools/list"))
            long_answer(p, &m);
    }
    say(p);
    if (is_mode(p, LIST_CHANGED) && is_request && ctn_str_is(m.method, "tools/list") && p->lists++ == 0) {
        /* A legacy server's notification: a new table, and the handshake still counts. */
        if (start_server(p))
            exit(2);
        ctn_mcp_server_line(
            p->server, CTN_STR("{\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}"),
            &p->out);
        ctn_buf_clear(&p->out);
        write_text(STDOUT_FILENO, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n");
    }
}

static bool read_options(peer *p, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int mode = 0;
        while (mode < MODE_COUNT && strcmp(argv[i], MODES[mode]) != 0)
            mode++;
        if (mode < MODE_COUNT) {
            p->modes |= 1U << mode;
            continue;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && strcmp(argv[i], "--ledger") == 0) {
            p->ledger = value;
        } else if (value && strcmp(argv[i], "--mark") == 0) {
            p->mark = value;
        } else if (value && strcmp(argv[i], "--once") == 0) {
            p->once = value;
        } else if (value && strcmp(argv[i], "--shape") == 0) {
            p->shape = value;
        } else if (value && strcmp(argv[i], "--pid-file") == 0) {
            FILE *file = fopen(value, "we");
            if (!file || fprintf(file, "%d\n", (int) getpid()) < 0 || fclose(file))
                return false;
        } else {
            int64_t *number = !value                                     ? NULL
                              : strcmp(argv[i], "--delay-before") == 0   ? &p->delay_before_ms
                              : strcmp(argv[i], "--delay-after") == 0    ? &p->delay_after_ms
                              : strcmp(argv[i], "--per-page") == 0       ? &p->per_page
                              : strcmp(argv[i], "--refuse-version") == 0 ? &p->refuse_version
                              : strcmp(argv[i], "--mib") == 0            ? &p->mib
                              : strcmp(argv[i], "--die-at") == 0         ? &p->die_at
                              : strcmp(argv[i], "--die-in") == 0         ? &p->die_in
                              : strcmp(argv[i], "--die-after") == 0      ? &p->die_after
                                                                         : NULL;
            if (!number || !ctn_str_to_int64(ctn_str_from(value), number)) {
                (void) fprintf(stderr, "peer_mcp: what is \"%s\"?\n", argv[i]);
                return false;
            }
        }
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    ctn_mcp_server_tool tools[TOOL_COUNT];
    memcpy(tools, TOOLS, sizeof tools);
    peer p = {.mib = 20, .tools = tools, .tool_count = TOOL_COUNT};
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_buf_init(&p.out, 32 << 20);
    if (!read_options(&p, argc, argv))
        return 2;
    if (p.shape)
        take_shape(&p);
    if (start_server(&p))
        return 2;
    if (is_mode(&p, FLOOD_STDERR))
        for (int i = 0; i < 50000; i++)
            (void) fprintf(stderr, "line %d of a flood that somebody must read or this process stands still forever\n",
                           i);
    if (is_mode(&p, DIES_AT_ONCE)) {
        write_text(STDERR_FILENO, "first words\ncannot open the licence file\n");
        _exit(3);
    }
    if (is_mode(&p, IGNORE_END))
        (void) signal(SIGTERM, SIG_IGN);
    (void) signal(SIGCHLD, SIG_IGN);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, stdin)) > 0) {
        if (++p.lines == p.die_at)
            die_once(&p);
        serve(&p, arena, ctn_str_trim((ctn_str){line, (size_t) len}));
        if (p.lines == p.die_after)
            die_once(&p);
    }
    while (is_mode(&p, IGNORE_END))
        (void) pause();
    free(line);
    ctn_mcp_server_free(p.server);
    ctn_buf_done(&p.out);
    ctn_arena_free(arena);
    return 0;
}
