/*
 * worker.c -- see transform/worker.h.
 *
 * It reads and writes by itself, without loop and streams: it has one thing to do at a time. Where it dies (memory,
 * time, a stack that is full) the driver sees how and says so; nothing is told from a signal handler.
 *
 * The sanitizers' runtimes reserve address space by the terabyte and read /proc while they run: with them the driver
 * hands over a limit of their own, and the limits on addresses and descriptors are left out.
 */
#include "drivers/transform/worker.h"
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/buf.h"
#include "drivers/transform/jq.h"
#include "wire/jsonrpc.h"

#define READ_BYTES (1 << 16)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool IS_SANITIZED = true;
#else
static const bool IS_SANITIZED = false;
#endif

static void limit(__rlimit_resource_t what, uint64_t most)
{
    (void) setrlimit(what, &(struct rlimit){most, most}); /* a lower one that we already have is as good */
}

static void give_up_rights(int64_t memory_mib)
{
    limit(RLIMIT_CORE, 0);
    if (IS_SANITIZED)
        return;
    limit(RLIMIT_AS, (uint64_t) memory_mib << 20);
    limit(RLIMIT_NOFILE, 3);
}

static void out_of_memory(void *ctx)
{
    (void) ctx;
    _exit(CTN_TRANSFORM_EXIT_MEMORY);
}

/* From now on this much, in whole seconds as the kernel counts them. */
static void limit_cpu(int64_t span_ms)
{
    struct rusage used;
    struct rlimit now;
    if (span_ms <= 0 || getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_CPU, &now))
        return;
    now.rlim_cur = (rlim_t) (used.ru_utime.tv_sec + used.ru_stime.tv_sec + 2 + (span_ms + 999) / 1000);
    if (now.rlim_max != RLIM_INFINITY && now.rlim_cur > now.rlim_max)
        now.rlim_cur = now.rlim_max;
    (void) setrlimit(RLIMIT_CPU, &now);
}

static bool write_all(const ctn_buf *bytes)
{
    for (size_t at = 0; at < bytes->len;) {
        ssize_t n = write(1, bytes->data + at, bytes->len - at);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t) n : 0;
    }
    return true;
}

/* The answer to one line goes into `out`. */
static void answer(ctn_jq *jq, ctn_arena *arena, ctn_str line, ctn_buf *out)
{
    ctn_rpc_message m;
    ctn_err err = {0};
    if (ctn_rpc_parse(arena, line, &m, &err) || m.kind != CTN_RPC_REQUEST) {
        ctn_rpc_write_error(out, m.id, CTN_RPC_INVALID_REQUEST, CTN_STR("this is no request"), NULL);
        return;
    }
    bool is_run = ctn_str_is(m.method, "run");
    if (!is_run && !ctn_str_is(m.method, "compile")) {
        ctn_rpc_write_error(out, m.id, CTN_RPC_METHOD_NOT_FOUND, CTN_STR("there is compile, and there is run"), NULL);
        return;
    }
    ctn_str program = ctn_json_str_or(m.params, "program", CTN_STR(""));
    ctn_json_builder result = ctn_json_object(arena);
    ctn_jq_outcome outcome;
    if (is_run) {
        const ctn_json *value = NULL;
        limit_cpu(ctn_json_int_or(m.params, "cpuMs", 0));
        outcome = ctn_jq_run(jq, program, ctn_json_member_of(m.params, "input"), arena, &value, &err);
        ctn_json_put(&result, CTN_STR("value"), value);
    } else {
        outcome = ctn_jq_compile(jq, program, &err);
    }
    if (outcome == CTN_JQ_OK) {
        ctn_rpc_write_result(out, m.id, ctn_json_finish(&result));
        if (!out->overflowed)
            return;
        ctn_buf_clear(out);
        outcome = CTN_JQ_LIMIT;
        (void) ctn_fail(&err, CTN_E_LIMIT, "the result is larger than 16 MiB");
    }
    ctn_rpc_write_error(out, m.id, outcome, ctn_str_from(err.message), NULL);
}

/* False: nobody reads us any more. Consumes the whole lines of `in`. */
static bool answer_lines(ctn_jq *jq, ctn_arena *arena, ctn_buf *in, size_t *scanned, ctn_buf *out)
{
    for (;;) {
        char *end = in->len > *scanned ? memchr(in->data + *scanned, '\n', in->len - *scanned) : NULL;
        if (!end) {
            *scanned = in->len;
            return true;
        }
        ctn_buf_clear(out);
        ctn_arena_reset(arena);
        answer(jq, arena, (ctn_str){in->data, (size_t) (end - in->data)}, out);
        if (!write_all(out))
            return false;
        ctn_buf_consume(in, (size_t) (end - in->data) + 1);
        *scanned = 0;
    }
}

int ctn_transform_worker_main(const char *memory_mib)
{
    int64_t mib = 0;
    if (!memory_mib || !ctn_str_to_int64(ctn_str_from(memory_mib), &mib) || mib < 1 || mib > 1 << 20)
        return 2;
    give_up_rights(mib);
    ctn_jq *jq = ctn_jq_new(out_of_memory);
    ctn_arena *arena = ctn_arena_new(1 << 16);
    ctn_buf in, out;
    ctn_buf_init(&in, CTN_RPC_LINE_BYTES_MAX + READ_BYTES + 1);
    ctn_buf_init(&out, CTN_RPC_LINE_BYTES_MAX);
    size_t scanned = 0;
    int exit_code = 0;
    for (;;) {
        char *room = ctn_buf_reserve(&in, READ_BYTES);
        ssize_t n = room ? read(0, room, READ_BYTES) : -1;
        if (n < 0 && room && errno == EINTR)
            continue;
        if (n <= 0) {
            exit_code = n < 0;
            break;
        }
        in.len += (size_t) n;
        if (!answer_lines(jq, arena, &in, &scanned, &out))
            break;
    }
    ctn_buf_done(&in);
    ctn_buf_done(&out);
    ctn_arena_free(arena);
    ctn_jq_free(jq);
    return exit_code;
}
