/*
 * bench_crash -- W4: the real binary is killed when half of the work is done, and started again at once.
 *
 *     bench_crash KEY CATENA SERVER DIR [CHAINS]
 *
 * CHAINS (2,000) chains of five steps are started through the socket of `catena serve`, as any client would. A step
 * is a call of the tool server's `note`: a line in the ledger, then 20 ms of sleep, many at the same time. In every
 * other chain the steps are declared idempotent; in the others they are writes with a check. When the ledger has half
 * of the lines that there must be, catena gets SIGKILL (its children end with it) and is started again.
 *
 * Then: how long until every chain that was acknowledged has completed; how many steps ran twice, by class, as the
 * ledger tells; how many chains were lost. The ideal: what was still to be done, in 20 ms steps, with as many chains
 * side by side as catena runs (256), or one whole chain if that is longer.
 */
#include "base/memory.h"
#include "chain/library.h"
#include "chain/plan.h"
#include "kit.h"
#include "loop/loop.h"
#include "program.h"
#include "step.h"
#include "store/store.h"
#include "wire/jsonrpc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_MS        20
#define SIDE_BY_SIDE   256 /* executions that `serve` runs at once */
#define ENOUGH_S       90.0
#define LEDGER_POLL_MS 1

static const char config_text[] = "store: sqlite:crash.db\n"
                                  "servers:\n"
                                  "  bench: {command: %s, args: [--ledger, %s/ledger, --sleep-ms, '%d']}\n";

static const char chain_text[] = BENCH_CHAIN("slow-%s", "tool: bench/note, effect: %s, " BENCH_FIRST "%s",
                                             "tool: bench/note, effect: %s, " BENCH_NEXT "%s");

static const char check_text[] = ", check: {tool: bench/noted, arguments: {key: \"{step.key}\"}}";

typedef struct crash {
    const char *catena, *folder;
    ctn_arena *arena;
    size_t chains;
    unsigned char *acked;                 /* by chain */
    unsigned char (*bodies)[BENCH_STEPS]; /* how often each step ran, as the ledger says */
    size_t acked_count, line_count;       /* lines of the ledger so far */
    FILE *ledger;
} crash;

/* ---- the ledger ---- */

static void read_ledger(crash *c)
{
    char path[BENCH_PATH_MAX], line[512], key[400];
    int64_t chain, step;
    snprintf(path, sizeof path, "%s/ledger", c->folder);
    if (!c->ledger && !(c->ledger = fopen(path, "r")))
        return;
    clearerr(c->ledger);
    for (long at = ftell(c->ledger); fgets(line, sizeof line, c->ledger); at = ftell(c->ledger)) {
        if (!strchr(line, '\n')) { /* not all of it is there yet */
            fseek(c->ledger, at, SEEK_SET);
            return;
        }
        if (sscanf(line, "%399s %" SCNd64 " %" SCNd64, key, &chain, &step) != 3 || chain < 0 ||
            chain >= (int64_t) c->chains || step < 1 || step > BENCH_STEPS)
            bench_die("the ledger has a line that is none of ours", line);
        c->bodies[chain][step - 1]++;
        c->line_count++;
    }
}

static bool is_write(size_t chain)
{
    return chain % 2 == 1;
}

static size_t steps_run_twice(const crash *c, bool of_writes)
{
    size_t twice = 0;
    for (size_t i = 0; i < c->chains; i++)
        for (int k = 0; is_write(i) == of_writes && k < BENCH_STEPS; k++)
            twice += c->bodies[i][k] > 1;
    return twice;
}

/* ---- starting chains, through the socket ---- */

static const ctn_json *definitions_of(crash *c, const char *effect, const char *check)
{
    ctn_findings findings;
    ctn_findings_init(&findings, c->arena);
    ctn_library *library = ctn_library_new(c->arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    ctn_str text = ctn_arena_printf(c->arena, chain_text, effect, effect, check, effect, check);
    if (ctn_library_add_text(library, CTN_STR("slow.yaml"), text, &findings, &chain) ||
        ctn_plan_compile(c->arena, library, chain, &findings, &plan))
        bench_die("chain", ctn_arena_printf(c->arena, "%.*s", CTN_STR_ARG(findings.items[0].message)).ptr);
    ctn_json_builder list = ctn_json_array(c->arena);
    for (uint32_t i = 0; i < plan->definition_count; i++) {
        ctn_json_builder d = ctn_json_object(c->arena);
        ctn_json_put_str(&d, "kind", plan->definitions[i].kind);
        ctn_json_put_str(&d, "name", plan->definitions[i].name);
        ctn_json_put_str(&d, "body", plan->definitions[i].body);
        ctn_json_push(&list, ctn_json_finish(&d));
    }
    return ctn_json_finish(&list);
}

static void write_starts(crash *c, ctn_buf *out)
{
    const ctn_json *definitions[2] = {definitions_of(c, "idempotent", ""), definitions_of(c, "write", check_text)};
    for (size_t i = 0; i < c->chains; i++) {
        ctn_json_builder input = ctn_json_object(c->arena), params = ctn_json_object(c->arena);
        ctn_json_put_int(&input, "chain", (int64_t) i);
        ctn_json_put(&params, CTN_STR("definitions"), definitions[is_write(i)]);
        ctn_json_put(&params, CTN_STR("input"), ctn_json_finish(&input));
        ctn_json_put_str(&params, "actor", CTN_STR("bench"));
        ctn_rpc_write_request(out, (int64_t) i, "start", ctn_json_finish(&params));
    }
}

static void take_answers(crash *c, ctn_buf *in)
{
    size_t taken = 0;
    for (char *end; (end = memchr(in->data + taken, '\n', in->len - taken));) {
        size_t length = (size_t) (end - in->data) - taken;
        ctn_rpc_message m;
        int64_t id;
        ctn_err err = {0};
        bench_must(ctn_rpc_parse(c->arena, (ctn_str){in->data + taken, length}, &m, &err), "answer", &err);
        taken += length + 1;
        if (m.kind == CTN_RPC_ERROR)
            bench_die("start", ctn_arena_printf(c->arena, "%.*s", CTN_STR_ARG(m.error_message)).ptr);
        if (m.kind == CTN_RPC_RESULT && ctn_json_to_int64(m.id, &id) && id >= 0 && id < (int64_t) c->chains) {
            c->acked[id] = 1;
            c->acked_count++;
        }
    }
    ctn_buf_consume(in, taken);
}

static int connect_to(const char *path)
{
    int fd = -1;
    double until_s = bench_seconds(CLOCK_MONOTONIC) + 10;
    while (ctn_socket_connect(path, &fd, NULL) != CTN_OK) {
        if (bench_seconds(CLOCK_MONOTONIC) > until_s)
            bench_die(path, "nobody listens");
        bench_sleep(0.002);
    }
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        bench_die(path, strerror(errno));
    return fd;
}

/* Starts them all and follows the ledger until it has `lines`. */
static void start_and_follow(crash *c, size_t lines)
{
    ctn_buf in, out;
    ctn_buf_init(&in, (size_t) 64 << 20);
    ctn_buf_init(&out, (size_t) 256 << 20);
    write_starts(c, &out);
    int fd = connect_to(ctn_arena_printf(c->arena, "%s/crash.db.sock", c->folder).ptr);
    size_t sent = 0;
    double until_s = bench_seconds(CLOCK_MONOTONIC) + ENOUGH_S;
    while (c->line_count < lines) {
        struct pollfd p = {.fd = fd, .events = (short) (POLLIN | (sent < out.len ? POLLOUT : 0))};
        (void) poll(&p, 1, LEDGER_POLL_MS);
        if (p.revents & POLLOUT) {
            ssize_t wrote = write(fd, out.data + sent, out.len - sent);
            sent += wrote > 0 ? (size_t) wrote : 0;
        }
        char *room = ctn_buf_reserve(&in, 65536);
        ssize_t got = p.revents & POLLIN ? read(fd, room, 65536) : -1;
        if (got == 0)
            bench_die("catena serve", "ended too early");
        in.len += got > 0 ? (size_t) got : 0;
        take_answers(c, &in);
        read_ledger(c);
        if (bench_seconds(CLOCK_MONOTONIC) > until_s)
            bench_die("the first half", "takes too long");
    }
    close(fd);
    ctn_buf_done(&in);
    ctn_buf_done(&out);
}

/* ---- what became of them ---- */

static int on_unfinished(void *ctx, const ctn_execution_row *row)
{
    (void) row;
    ++*(size_t *) ctx;
    return 1; /* one is enough */
}

static bool all_have_ended(ctn_store *store)
{
    size_t unfinished = 0;
    ctn_err err = {0};
    ctn_execution_filter filter = {.unfinished_only = true, .limit = 1};
    bench_must(ctn_store_execution_list(store, &filter, on_unfinished, &unfinished, &err), "store", &err);
    return unfinished == 0;
}

typedef struct outcome {
    crash *c;
    size_t completed_well, others;
} outcome;

static int on_ended(void *ctx, const ctn_execution_row *row)
{
    outcome *o = ctx;
    ctn_arena_mark mark = ctn_arena_save(o->c->arena);
    const ctn_json *outputs = NULL;
    if (row->outputs.len)
        (void) ctn_json_parse(o->c->arena, row->outputs, NULL, &outputs, NULL);
    const ctn_json *state = ctn_json_member_of(outputs, "state");
    int64_t chain = ctn_json_int_or(state, "chain", -1);
    bool is_well = row->status == CTN_STATUS_COMPLETED &&
                   ctn_json_int_or(state, "total", 0) == BENCH_STEPS * (BENCH_STEPS + 1) / 2;
    if (is_well && chain >= 0 && chain < (int64_t) o->c->chains && o->c->acked[chain]) {
        o->c->acked[chain] = 0; /* it is not lost */
        o->completed_well++;
    } else if (!is_well) {
        o->others++;
    }
    ctn_arena_restore(o->c->arena, mark);
    return 0;
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

/* What is left to do when everything stops, in the best case. */
static double ideal_ms(const crash *c)
{
    size_t left = 0, longest = 0;
    for (size_t i = 0; i < c->chains; i++) {
        size_t of_chain = 0;
        for (int k = 0; k < BENCH_STEPS; k++)
            of_chain += c->bodies[i][k] == 0;
        left += of_chain;
        longest = of_chain > longest ? of_chain : longest;
    }
    double by_width = (double) left * STEP_MS / SIDE_BY_SIDE, by_length = (double) longest * STEP_MS;
    return by_width > by_length ? by_width : by_length;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: bench_crash KEY CATENA SERVER DIR [CHAINS]\n");
        return 2;
    }
    const char *key = argv[1];
    crash c = {.catena = argv[2], .folder = argv[4], .arena = ctn_arena_new(1 << 20), .chains = 2000};
    if (argc > 5)
        c.chains = (size_t) strtoull(argv[5], NULL, 10);
    c.acked = calloc(c.chains, sizeof *c.acked);
    c.bodies = calloc(c.chains, sizeof *c.bodies);
    if (!c.acked || !c.bodies)
        bench_die("memory", "there is none");
    bench_file_write(c.folder, "catena.yaml", ctn_arena_printf(c.arena, config_text, argv[3], c.folder, STEP_MS).ptr);
    const char *const serve[] = {c.catena, "serve", "--quiet", NULL};

    double first_s = bench_seconds(CLOCK_MONOTONIC);
    bench_program program = bench_program_start(serve, c.folder);
    start_and_follow(&c, c.chains * BENCH_STEPS / 2);
    double kill_s = bench_seconds(CLOCK_MONOTONIC);
    (void) bench_program_end(&program, SIGKILL);
    read_ledger(&c);
    size_t at_kill = c.line_count;
    double best_ms = ideal_ms(&c);

    double again_s = bench_seconds(CLOCK_MONOTONIC);
    program = bench_program_start(serve, c.folder);
    ctn_err err = {0};
    ctn_store *store = NULL;
    const char *url = ctn_arena_printf(c.arena, "sqlite:%s/crash.db", c.folder).ptr;
    bench_must(ctn_store_open(url, CTN_STORE_READ, &store, &err), "store", &err);
    double now_s = again_s;
    while (!all_have_ended(store) && now_s - again_s < ENOUGH_S) {
        bench_sleep(0.003);
        now_s = bench_seconds(CLOCK_MONOTONIC);
    }
    double done_ms = (bench_seconds(CLOCK_MONOTONIC) - again_s) * 1e3;
    outcome o = {.c = &c};
    bench_must(ctn_store_execution_list(store, &(ctn_execution_filter){0}, on_ended, &o, &err), "store", &err);
    ctn_store_close(store);
    (void) bench_program_end(&program, SIGTERM);
    read_ledger(&c);

    size_t lost = 0;
    for (size_t i = 0; i < c.chains; i++)
        lost += c.acked[i];
    say(key, "chains", (double) c.chains);
    say(key, "chains_started", (double) c.acked_count);
    say(key, "killed_after_ms", (kill_s - first_s) * 1e3);
    say(key, "bodies_at_kill", (double) at_kill);
    say(key, "all_done_ms", done_ms);
    say(key, "ideal_ms", best_ms);
    say(key, "over_ideal_ms", done_ms - best_ms);
    say(key, "write_steps_twice", (double) steps_run_twice(&c, true));
    say(key, "idempotent_steps_twice", (double) steps_run_twice(&c, false));
    say(key, "chains_lost", (double) lost);
    say(key, "chains_not_completed", (double) o.others);
    fclose(c.ledger);
    free(c.acked);
    free(c.bodies);
    ctn_arena_free(c.arena);
    return 0;
}
