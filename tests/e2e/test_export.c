/*
 * test_export.c -- an exported execution proves itself without a store, and nothing can be changed in it unnoticed.
 */
#include "cli_kit.h"

#include "journal/export_check.h"
#include "store/export.h"
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 1 completed (undone things, a label)  2 rolled back  3 waiting  4 a sub-chain's parent  5 its child  6 foreach */
static void make_store(world *w)
{
    cli_world_write(w, "catena.yaml", "include: ['*.chain.yaml', sets.yaml]\n");
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n"
                    "  say: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}\n"
                    "  put: {native: noop, effect: write, arguments: {thing: '{name}'}}\n"
                    "  ask: {approval: {message: go on?, timeoutMs: 3600000}}\n"
                    "  inner-set: {chain: hello, arguments: {name: '{name}'}}\n"
                    "  each: {native: noop, effect: none, arguments: {greeting: 'Hello {item}'}}\n");
    cli_world_write(w, "hello.chain.yaml",
                    "id: hello\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n");
    cli_world_write(w, "outer.chain.yaml",
                    "id: outer\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: call, instructionSet: inner-set, outputVariables: [greeting]}\n");
    cli_world_write(w, "undoes.chain.yaml",
                    "id: undoes\nrollbackEnabled: true\nsteps:\n"
                    "  - {stepName: first, instructionSet: put, rollbackAction: put}\n"
                    "  - {stepName: then, instructionSet: say, conditionalExecution: fail, dependsOn: [first]}\n");
    cli_world_write(w, "asks.chain.yaml", "id: asks\nsteps:\n  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "many.chain.yaml",
                    "id: many\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: greet, instructionSet: each, foreach: {items: '{names}'}, outputVariables: "
                    "[greeting]}\n");
    assert_exit(w, catena(w, "run", "hello", "-i", "name=Ann", "-l", "team=blue", NULL), 0);
    assert_exit(w, catena(w, "run", "undoes", "-i", "name=Ann", NULL), 1);
    assert_exit(w, catena(w, "run", "asks", NULL), 3);
    assert_exit(w, catena(w, "run", "outer", "-i", "name=Bob", NULL), 0);
    assert_exit(w, catena(w, "run", "many", "-i", "names:=[\"a\",\"b\"]", NULL), 0);
}

enum { EXECUTIONS = 6 };

/* ---- an export in memory ---- */

static int append(void *ctx, ctn_str text, ctn_err *err)
{
    (void) err;
    ctn_buf_append(ctx, text);
    return 0;
}

static ctn_store *open_store(const world *w)
{
    char path[300];
    ctn_store *store = NULL;
    ctn_err err = {0};
    snprintf(path, sizeof path, "%s/catena.db", w->folder);
    if (ctn_store_open(path, CTN_STORE_READ, &store, &err))
        fail_msg("%s", err.message);
    return store;
}

static void export_of(const world *w, int64_t exec_no, ctn_buf *out)
{
    ctn_err err = {0};
    ctn_execution_row row;
    ctn_export_report report;
    ctn_store *store = open_store(w);
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_buf_clear(out);
    assert_int_equal(ctn_store_execution_by_no(store, arena, exec_no, &row, NULL), 0);
    ctn_export_options options = {
        .id = row.id, .now_ms = 1, .actor = CTN_STR("mia"), .program = CTN_STR("catena"), .write = append, .ctx = out};
    if (ctn_store_export(store, &options, &report, &err))
        fail_msg("%s", err.message);
    ctn_arena_free(arena);
    ctn_store_close(store);
}

static void note(void *ctx, const ctn_proof_fault *f)
{
    ctn_buf *out = ctx;
    if (out->len)
        ctn_buf_append_char(out, ' ');
    ctn_buf_append(out, ctn_str_from(f->rule));
    if (f->seq)
        ctn_buf_printf(out, "@%" PRIu64, f->seq);
}

/* "RULE@SEQ ..." of what is found; "refused" when it is no export. */
static const char *faults_of(ctn_str file, ctn_buf *found)
{
    ctn_export_report report;
    ctn_export_check *c = ctn_export_check_new(note, found);
    int rc = 0;
    ctn_buf_clear(found);
    while (file.len && rc == 0)
        rc = ctn_export_check_line(c, ctn_str_cut(&file, '\n'), NULL);
    if (rc == 0)
        ctn_export_check_end(c, &report);
    else
        ctn_buf_append_literal(found, "refused");
    ctn_export_check_free(c);
    ctn_buf_append_char(found, '\0');
    return found->data;
}

/* ---- tests ---- */

static void every_execution_exports_to_a_file_that_is_proven(void **state)
{
    world *w = *state;
    ctn_buf file, found;
    ctn_buf_init(&file, 1 << 20);
    ctn_buf_init(&found, 1 << 20);
    make_store(w);
    for (int64_t no = 1; no <= EXECUTIONS; no++) {
        export_of(w, no, &file);
        assert_string_equal(faults_of(ctn_buf_str(&file), &found), "");
    }
    ctn_buf_done(&file);
    ctn_buf_done(&found);
}

static void a_byte_that_turns_anywhere_is_found(void **state)
{
    world *w = *state;
    ctn_buf file, found;
    int turned = 0;
    ctn_buf_init(&file, 1 << 20);
    ctn_buf_init(&found, 1 << 20);
    make_store(w);
    export_of(w, 1, &file);
    for (size_t i = 0; i + 1 < file.len; i++) {
        static const char TURNS[] = {0x01, 0x20}; /* another byte; the other case of a letter */
        for (size_t k = 0; k < sizeof TURNS; k++, turned++) {
            file.data[i] ^= TURNS[k];
            if (!*faults_of(ctn_buf_str(&file), &found))
                fail_msg("byte %zu, '%c' now: nothing was found", i, file.data[i]);
            file.data[i] ^= TURNS[k];
        }
    }
    print_message("%d bytes turned\n", turned);
    ctn_buf_done(&file);
    ctn_buf_done(&found);
}

static void a_file_that_was_cut_is_found(void **state)
{
    world *w = *state;
    ctn_buf file, found;
    ctn_buf_init(&file, 1 << 20);
    ctn_buf_init(&found, 1 << 20);
    make_store(w);
    export_of(w, 1, &file);
    for (size_t len = 1; len + 1 < file.len; len++)
        if (!*faults_of((ctn_str){file.data, len}, &found))
            fail_msg("cut after %zu bytes: nothing was found", len);
    ctn_buf_done(&file);
    ctn_buf_done(&found);
}

/* Somebody who knows how it is made: the digest at the end is made anew. Only what is inside can tell. */
static void end_anew(ctn_buf *file, uint64_t entries, const char *hash)
{
    ctn_digest digest = ctn_hash(ctn_buf_str(file));
    ctn_buf_printf(file, "{\"end\":{\"entries\":%" PRIu64 ",\"hash\":\"%s\",\"digest\":\"%s\"}}\n", entries, hash,
                   ctn_digest_to_text(digest).text);
}

typedef struct forgery {
    const char *what;
    int drop, twice, swap; /* line numbers from 1; swap: with the next one; 0: none */
    const char *from, *to; /* in the whole file, once */
    const char *found;
} forgery;

/* Lines of the execution "hello": 1 head, 2 the chain, 3 the set, 4 to 6 entries. */
static const forgery FORGERIES[] = {
    {.what = "nothing", .found = ""},
    {.what = "the first entry dropped", .drop = 4, .found = "gap@1"},
    {.what = "an entry dropped", .drop = 5, .found = "gap@2"},
    {.what = "the last entry dropped", .drop = 6, .found = "status"},
    {.what = "an entry twice", .twice = 5, .found = "gap@2 position@2"},
    {.what = "two entries swapped", .swap = 5, .found = "gap@2 gap@2 position@2"},
    {.what = "a definition dropped", .drop = 3, .found = "definition@1"},
    {.what = "definitions swapped", .swap = 2, .found = ""}, /* their order means nothing */
    {.what = "a set altered", .from = "Hello {name}", .to = "Howdy {name}", .found = "definition"},
    {.what = "a digest altered", .from = "\"digest\":\"", .to = "\"digest\":\"0", .found = "definition definition@1"},
    {.what = "a definition's name altered",
     .from = "\"name\":\"say\"",
     .to = "\"name\":\"put\"",
     .found = "definition"},
    {.what = "the head dropped", .drop = 1, .found = "refused"},
    {.what = "a chain altered",
     .from = "\"chain\":\"hello\",\"version\":1,\"row\"",
     .to = "\"chain\":\"hullo\",\"version\":1,\"row\"",
     .found = "chain@1"},
    {.what = "a version altered", .from = "\"version\":1,\"row\"", .to = "\"version\":2,\"row\"", .found = "version"},
    {.what = "a status altered", .from = "\"completed\"", .to = "\"failed\"", .found = "status"},
    {.what = "an input altered",
     .from = "\"input\":{\"name\":\"Ann\"}",
     .to = "\"input\":{\"name\":\"Eve\"}",
     .found = "input@1"},
    {.what = "outputs altered",
     .from = "\"outputs\":{\"greeting\":\"Hello Ann\"}",
     .to = "\"outputs\":{\"greeting\":\"Hello Eve\"}",
     .found = "outputs"},
    {.what = "labels altered", .from = "\"blue\"", .to = "\"pink\"", .found = "labels@1"},
    {.what = "a parent invented",
     .from = "\"input\"",
     .to = "\"parent\":\"01a206ce-332a-7005-8429-30cf19e1b077\",\"input\"",
     .found = "parent"},
    {.what = "a priority altered", .from = "\"priority\":5", .to = "\"priority\":4", .found = "priority"},
    {.what = "a line invented",
     .from = "\"priority\":5",
     .to = "\"priority\":5,\"queueKey\":\"x\"",
     .found = "queue@1"},
    {.what = "an error invented", .from = "\"input\"", .to = "\"error\":{\"code\":\"x\"},\"input\"", .found = "error"},
    {.what = "times altered", .from = "\"finishedAtMs\":1", .to = "\"finishedAtMs\":2", .found = "finished"},
    {.what = "an entry's body altered",
     .from = "{\"variables\":{\"greeting\":\"Hello Ann\"}}",
     .to = "{\"variables\":{\"greeting\":\"Hello Eve\"}}",
     .found = "hash@2"},
    {.what = "an entry's kind altered", .from = "attempt_succeeded", .to = "attempt_failed", .found = "hash@2"},
    {.what = "an entry's kind invented", .from = "attempt_succeeded", .to = "attempt_dreamt", .found = "kind@2"},
    {.what = "an entry's step altered", .from = "\"step\":\"greet\"", .to = "\"step\":\"greed\"", .found = "hash@2"},
    {.what = "an attempt altered", .from = "\"attempt\":1", .to = "\"attempt\":2", .found = "hash@2"},
    {.what = "an actor altered", .from = "\"actor\":\"engine\"", .to = "\"actor\":\"nobody\"", .found = "hash@2"},
    {.what = "a time altered",
     .from = "\"position\":2,\"atMs\":1",
     .to = "\"position\":2,\"atMs\":2",
     .found = "hash@2"},
    {.what = "positions altered", .from = "\"position\":1,", .to = "\"position\":9,", .found = "position@2 position@3"},
    {.what = "a line that is no JSON",
     .from = "{\"entry\":{\"seq\":2",
     .to = "{\"entry\":{seq:2",
     .found = "format gap@2 end"},
    {.what = "a line of another kind",
     .from = "{\"entry\":{\"seq\":2",
     .to = "{\"entri\":{\"seq\":2",
     .found = "format gap@2 end"},
    {.what = "a member twice", .from = "\"seq\":2", .to = "\"seq\":2,\"seq\":2", .found = "format gap@2 end"},
    {.what = "a newer format", .from = "{\"catenaExport\":1", .to = "{\"catenaExport\":2", .found = "refused"},
};

static void forge(const ctn_buf *file, const forgery *f, ctn_buf *out)
{
    ctn_str rest = ctn_buf_str(file);
    ctn_str lines[8];
    size_t count = 0;
    uint64_t entries = 0;
    char hash[65] = "";
    ctn_buf_clear(out);
    while (rest.len)
        lines[count++] = ctn_str_cut(&rest, '\n');
    assert_int_equal(count, 7);
    for (size_t i = 0; i + 1 < count; i++) {
        size_t take = f->swap && (int) i + 1 == f->swap ? i + 1 : f->swap && (int) i == f->swap ? i - 1 : i;
        for (int n = (int) i + 1 == f->drop ? 0 : (int) i + 1 == f->twice ? 2 : 1; n > 0; n--) {
            ctn_buf_append(out, lines[take]);
            ctn_buf_append_char(out, '\n');
            if (ctn_str_starts_with(lines[take], CTN_STR("{\"entry\""))) {
                entries++;
                memcpy(hash, lines[take].ptr + lines[take].len - 67, 64);
            }
        }
    }
    size_t at = f->from ? ctn_str_find(ctn_buf_str(out), ctn_str_from(f->from)) : SIZE_MAX;
    if (f->from) {
        if (at == SIZE_MAX)
            fail_msg("%s: there is no %s", f->what, f->from);
        ctn_buf copy;
        ctn_buf_init(&copy, 1 << 20);
        ctn_buf_append(&copy, (ctn_str){out->data, at});
        ctn_buf_append(&copy, ctn_str_from(f->to));
        ctn_buf_append(&copy, ctn_str_from_offset(ctn_buf_str(out), at + strlen(f->from)));
        ctn_buf_clear(out);
        ctn_buf_append(out, ctn_buf_str(&copy));
        ctn_buf_done(&copy);
    }
    end_anew(out, entries, hash);
}

static void each_forgery_is_found_for_what_it_is(void **state)
{
    world *w = *state;
    ctn_buf file, forged, found;
    int failed = 0;
    ctn_buf_init(&file, 1 << 20);
    ctn_buf_init(&forged, 1 << 20);
    ctn_buf_init(&found, 1 << 20);
    make_store(w);
    export_of(w, 1, &file);
    for (size_t i = 0; i < sizeof FORGERIES / sizeof *FORGERIES; i++) {
        forge(&file, &FORGERIES[i], &forged);
        const char *is = faults_of(ctn_buf_str(&forged), &found);
        if (strcmp(is, FORGERIES[i].found) != 0) {
            print_error("%s: found \"%s\" instead of \"%s\"\n", FORGERIES[i].what, is, FORGERIES[i].found);
            failed++;
        }
    }
    print_message("%zu forgeries\n", sizeof FORGERIES / sizeof *FORGERIES);
    assert_int_equal(failed, 0);
    ctn_buf_done(&file);
    ctn_buf_done(&forged);
    ctn_buf_done(&found);
}

/* ---- journals that lie, with hashes that fit ---- */

enum { RECORDS_MAX = 64 };
#ifdef __SANITIZE_ADDRESS__
enum { LIES = 6000 };
#else
enum { LIES = 20000 };
#endif

typedef struct journal {
    ctn_arena *arena;
    ctn_store *store;
    ctn_proof_row row;
    ctn_record records[RECORDS_MAX];
    size_t count;
    uint64_t faults;
} journal;

static int take_record(void *ctx, const ctn_record *r, int64_t position)
{
    journal *j = ctx;
    (void) position;
    assert_true(j->count < RECORDS_MAX);
    ctn_record *kept = &j->records[j->count++];
    *kept = *r;
    kept->step = ctn_arena_str(j->arena, r->step);
    kept->actor = ctn_arena_str(j->arena, r->actor);
    kept->body = ctn_arena_str(j->arena, r->body);
    return 0;
}

static int definition_of(void *ctx, ctn_arena *arena, const ctn_digest *digest, ctn_plan_definition *ret)
{
    journal *j = ctx;
    ctn_definition d;
    if (ctn_store_definition_get(j->store, arena, digest, &d, NULL))
        return CTN_E_NOT_FOUND;
    *ret = (ctn_plan_definition){.kind = d.kind, .name = d.name, .body = d.body, .digest = *digest};
    return CTN_OK;
}

static void count_fault(void *ctx, const ctn_proof_fault *f)
{
    (void) f;
    ((journal *) ctx)->faults++;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static size_t below(uint64_t *chance, size_t n)
{
    return (size_t) (next_random(chance) % n);
}

static const char *const VALUES[] = {
    "null", "0", "-1", "99999999999999999999", "true", "\"\"", "\"greet\"", "[]", "{}", "[[]]", "{\"a\":1}", "[1,2,3]"};

/* `v` in which some value, somewhere in it, is another, or gone, or its neighbour's. */
static void write_lie(ctn_buf *out, const ctn_json *v, uint64_t *chance)
{
    size_t count = ctn_json_count(v), at = count ? below(chance, count) : 0, how = below(chance, 4);
    bool is_object = ctn_json_is(v, CTN_JSON_OBJECT);
    if (count == 0) {
        ctn_buf_append(out, ctn_str_from(VALUES[below(chance, sizeof VALUES / sizeof *VALUES)]));
        return;
    }
    ctn_buf_append_char(out, is_object ? '{' : '[');
    for (size_t i = 0, written = 0; i < count; i++) {
        if (i == at && how == 0)
            continue;
        if (written++)
            ctn_buf_append_char(out, ',');
        if (is_object) {
            ctn_json_write(out, &v->members[i].key);
            ctn_buf_append_char(out, ':');
        }
        size_t from = i == at && how == 1 ? below(chance, count) : i;
        const ctn_json *value = is_object ? &v->members[from].value : &v->items[from];
        if (i == at && how == 2)
            write_lie(out, value, chance);
        else if (i == at && how == 3)
            ctn_buf_append(out, ctn_str_from(VALUES[below(chance, sizeof VALUES / sizeof *VALUES)]));
        else
            ctn_json_write(out, value);
    }
    ctn_buf_append_char(out, is_object ? '}' : ']');
}

static ctn_str lie(journal *j, ctn_str body, uint64_t *chance)
{
    const ctn_json *v = NULL;
    if (ctn_json_parse(j->arena, body, NULL, &v, NULL) || ctn_json_count(v) == 0 || below(chance, 8) == 0)
        return CTN_STR(
            "{\"call\":\"x\",\"final\":true,\"dueMs\":5,\"items\":3,\"count\":2,\"untilMs\":1,\"fallback\":1,"
            "\"variables\":{\"greeting\":1},\"what\":\"set\",\"for\":\"budget\",\"unknown\":true}");
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    write_lie(&out, v, chance);
    ctn_str kept = ctn_arena_str(j->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

static void change(journal *j, ctn_record *records, size_t *count, const char *const *steps, uint64_t *chance)
{
    size_t at = below(chance, *count), other = below(chance, *count);
    ctn_record kept = records[at];
    switch (below(chance, 7)) {
    case 0: records[at].kind = (ctn_entry_kind) below(chance, CTN_ENTRY_KIND_COUNT); break;
    case 1:
    case 2: records[at].body = lie(j, records[at].body, chance); break;
    case 3: records[at].step = ctn_str_from(steps[below(chance, 4)]); break;
    case 4:
        records[at].item = (int64_t) below(chance, 4) - 1;
        records[at].attempt = (uint32_t) below(chance, 3);
        break;
    case 5:
        records[at] = records[other];
        records[other] = kept;
        break;
    default:
        memmove(&records[at], &records[at + 1], (*count - at - 1) * sizeof *records);
        *count -= *count > 1;
        break;
    }
}

/* Whatever stands in a file, the one who checks it lives, and says yes or no. */
static void a_journal_that_lies_is_judged_and_crashes_nobody(void **state)
{
    static const char *const STEPS[] = {"greet", "first", "ask", ""};
    world *w = *state;
    uint64_t chance = 20261123;
    int noticed = 0, told = 0;
    const char *more = getenv("LIES"); /* for a long look: so many times as many, from another seed */
    int lies = more ? LIES * atoi(more) : LIES;
    chance += more ? (uint64_t) atoi(more) : 0;
    make_store(w);
    for (int64_t no = 1; no <= EXECUTIONS; no++) {
        journal j = {.arena = ctn_arena_new(65536), .store = open_store(w)};
        ctn_execution_row row;
        assert_int_equal(ctn_store_execution_by_no(j.store, j.arena, no, &row, NULL), 0);
        assert_int_equal(ctn_store_journal_read(j.store, no, 1, take_record, &j, NULL), 0);
        j.row = (ctn_proof_row){.id = row.id,
                                .parent = row.parent,
                                .chain_id = row.chain_id,
                                .status = ctn_str_from(ctn_status_name(row.status)),
                                .chain_version = row.chain_version,
                                .labels = row.labels,
                                .input = row.input,
                                .outputs = row.outputs,
                                .error = row.error,
                                .created_at_ms = row.created_at_ms,
                                .started_at_ms = row.started_at_ms,
                                .finished_at_ms = row.finished_at_ms,
                                .wake_at_ms = row.wake_at_ms,
                                .has_wake = true};
        ctn_prover *prover =
            ctn_prover_new(&(ctn_prover_options){.definition = definition_of, .fault = count_fault, .ctx = &j});
        for (int i = 0; i < lies / EXECUTIONS; i++, told++) {
            ctn_arena_mark mark = ctn_arena_save(j.arena);
            ctn_record records[RECORDS_MAX];
            ctn_digest hash = {{0}};
            size_t count = j.count;
            memcpy(records, j.records, count * sizeof *records);
            for (size_t n = 1 + below(&chance, 3); n > 0; n--)
                change(&j, records, &count, STEPS, &chance);
            j.faults = 0;
            ctn_prover_begin(prover, &j.row);
            for (size_t k = 0; k < count; k++) {
                records[k].seq = k + 1;
                hash = records[k].hash = ctn_record_hash(&records[k], &hash);
                ctn_proof_record raw = {.position = (int64_t) k + 1,
                                        .seq = (int64_t) k + 1,
                                        .at_ms = records[k].at_ms,
                                        .kind = ctn_str_from(ctn_entry_kind_name(records[k].kind)),
                                        .step = records[k].step,
                                        .actor = records[k].actor,
                                        .body = records[k].body,
                                        .item = records[k].item,
                                        .attempt = records[k].attempt,
                                        .hash = {(const char *) records[k].hash.bytes, CTN_DIGEST_BYTES}};
                ctn_prover_take(prover, &raw);
            }
            ctn_prover_end(prover);
            noticed += j.faults > 0;
            ctn_arena_restore(j.arena, mark);
        }
        ctn_prover_free(prover);
        ctn_store_close(j.store);
        ctn_arena_free(j.arena);
    }
    print_message("of %d journals that lie with hashes that fit, %d were impossible\n", told, noticed);
    assert_true(noticed > told / 3);
}

/* ---- the commands ---- */

static void the_commands_write_and_prove(void **state)
{
    world *w = *state;
    char id[64], text[4000];
    make_store(w);
    newest_id(w, id);
    assert_exit(w, catena(w, "export", id, NULL), 0);
    assert_out(w, "{\"catenaExport\":1,\"executionId\":\"");
    assert_exit(w, catena(w, "export", id, "--output", "one.jsonl", NULL), 0);
    assert_false(cli_world_has(w, "one.jsonl.part"));
    assert_exit(w, catena(w, "store", "export", id, "-o", "same.jsonl", "--quiet", NULL), 0);
    assert_exit(w, catena(w, "verify", "same.jsonl", NULL), 0);
    assert_exit(w, catena(w, "export", id, "--output", "one.jsonl", NULL), 2);
    assert_err(w, "--force replaces it");
    assert_exit(w, shell(w, "rm catena.db catena.yaml && catena verify one.jsonl"), 0); /* offline */
    assert_out(w, "proven; the last hash is ");
    assert_exit(w, catena(w, "store", "verify", "one.jsonl", "--json", NULL), 0);
    assert_out(w, "{\"findings\":[],\"ok\":true,");
    assert_exit(w, shell(w, "sed s/Hello/Howdy/ one.jsonl > two.jsonl; catena verify two.jsonl"), 1);
    assert_out(w, "[definition]");
    assert_exit(w, shell(w, "head -3 one.jsonl | catena verify -"), 1);
    assert_out(w, "something is missing [end]");
    assert_exit(w, shell(w, "catena verify - < /dev/null"), 2);
    assert_exit(w, shell(w, "echo hello | catena verify -"), 2);
    assert_err(w, "it is no export");
    assert_exit(w, catena(w, "verify", "nothing.jsonl", NULL), 2);
    cli_world_read(w, "one.jsonl", text, sizeof text);
    assert_contains(text, "\"exportedWith\":\"catena ");
}

static void an_export_stands_in_the_audit_log(void **state)
{
    world *w = *state;
    char id[64];
    make_store(w);
    newest_id(w, id);
    assert_exit(w, catena(w, "export", id, "-o", "one.jsonl", NULL), 0);
    assert_exit(w, catena(w, "store", "audit", "--json", NULL), 0);
    assert_out(w, "\"action\":\"execution.export\"");
    assert_out(w, id);
}

/* What is left of a damaged one leaves too, and the file tells what is wrong. */
static void a_damaged_execution_is_exported_as_it_stands(void **state)
{
    world *w = *state;
    char id[64], path[300];
    sqlite3 *db = NULL;
    make_store(w);
    newest_id(w, id);
    snprintf(path, sizeof path, "%s/catena.db", w->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE execution_journal SET body = 'no json' WHERE exec_no = 6 AND seq = 2;"
                                  "UPDATE execution_journal SET kind = 'dreamt' WHERE exec_no = 6 AND seq = 3",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_exit(w, catena(w, "export", id, "-o", "one.jsonl", NULL), 0);
    assert_exit(w, catena(w, "verify", "one.jsonl", NULL), 1);
    assert_out(w, "entry 2: it was altered: its hash does not fit [hash]");
    assert_out(w, "entry 3: there is no entry of the kind \"dreamt\" [kind]");
    assert_lacks(w->said.out, "[digest]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(every_execution_exports_to_a_file_that_is_proven),
        CLI_TEST(a_byte_that_turns_anywhere_is_found),
        CLI_TEST(a_file_that_was_cut_is_found),
        CLI_TEST(each_forgery_is_found_for_what_it_is),
        CLI_TEST(a_journal_that_lies_is_judged_and_crashes_nobody),
        CLI_TEST(the_commands_write_and_prove),
        CLI_TEST(an_export_stands_in_the_audit_log),
        CLI_TEST(a_damaged_execution_is_exported_as_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
