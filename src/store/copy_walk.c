/*
 * copy_walk.c -- see copy_walk.h.
 *
 * Executions go in order of their numbers, a page of numbers at a time, and what is read is put in pieces: memory is
 * that of a piece, whatever the store's size, but for those that live elsewhere than their id says (moved), which are
 * remembered: their children follow them.
 *
 * A parent is older than its children, so where it lives is known before they come.
 */
#include "store/copy_walk.h"
#include "store/fleet.h"
#include <stdlib.h>

/* A piece is put when it has so many entries or bytes. */
enum { PAGE_NUMBERS = 512, PIECE_ENTRIES = 2000, PIECE_BYTES = 4 << 20 };

/* Executions that live elsewhere than their id says, by id: open addressing. */
typedef struct moved_execution {
    ctn_execution_id id;
    uint32_t shard;
} moved_execution;
typedef struct moved_set {
    moved_execution *slots; /* id all zero: empty */
    size_t count, capacity; /* capacity: 0 or a power of two */
} moved_set;

struct copy_walk {
    ctn_store *from, *to;
    const ctn_copy_options *options;
    ctn_copy_report *report;
    uint32_t from_shards, to_shards;
    int64_t done; /* executions that have a number there */
    moved_set moved;
    moved_set lines; /* those that somebody unfinished stands in: a digest of shard and key */

    ctn_arena *page_arena;
    ctn_execution_row *page; /* newest first */
    size_t page_count, page_capacity;

    ctn_arena *piece_arena;
    ctn_copied_execution *piece; /* its records begin at first_record until it is put */
    size_t *first_record;
    size_t piece_count, piece_capacity, first_capacity;
    ctn_record *records;
    int64_t *positions;
    size_t record_count, record_capacity, position_capacity;
    size_t bytes;

    ctn_arena *arena;               /* to the end */
    ctn_quarantine_row *quarantine; /* by number; with the number there once that is known, which is negative before */
    size_t quarantine_count, quarantine_capacity, quarantine_next;
    struct counted_chain {
        ctn_str chain_id;
        bool is_counted;
    } * chains;
    size_t chain_count, chain_capacity;
    uint64_t seq_last; /* of the journal that is read */
    ctn_err *err;
};

static void *room(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 64;
    return ctn_realloc_array(array, *capacity, bytes);
}
#define ROOM(array, count, capacity) ((array) = room((array), (count), &(capacity), sizeof *(array)))

/* ---- who lives elsewhere ---- */

static moved_execution *moved_slot(const moved_set *set, ctn_execution_id id)
{
    uint64_t hash;
    memcpy(&hash, &id.bytes[8], sizeof hash);
    size_t i = (size_t) (hash * 0x9E3779B97F4A7C15u >> 20) & (set->capacity - 1);
    while (!ctn_id_is_none(set->slots[i].id) && !ctn_id_equal(set->slots[i].id, id))
        i = (i + 1) & (set->capacity - 1);
    return &set->slots[i];
}

static void moved_add(moved_set *set, ctn_execution_id id, uint32_t shard)
{
    if (set->count * 2 >= set->capacity) {
        moved_set larger = {.capacity = set->capacity ? set->capacity * 2 : 64, .count = set->count};
        larger.slots = ctn_calloc(larger.capacity, sizeof *larger.slots);
        for (size_t i = 0; i < set->capacity; i++)
            if (!ctn_id_is_none(set->slots[i].id))
                *moved_slot(&larger, set->slots[i].id) = set->slots[i];
        free(set->slots);
        *set = larger;
    }
    *moved_slot(set, id) = (moved_execution){id, shard};
    set->count++;
}

static uint32_t shard_of(const copy_walk *w, ctn_execution_id id)
{
    const moved_execution *moved = w->moved.capacity ? moved_slot(&w->moved, id) : NULL;
    return moved && !ctn_id_is_none(moved->id) ? moved->shard : ctn_shard_of_id(id, w->to_shards);
}

/* ---- where one lives ---- */

/* Does the newest version of the chain say how many may run at once? */
static int ask_counted(copy_walk *w, ctn_str chain_id, bool *ret_is_counted)
{
    ctn_arena_mark mark = ctn_arena_save(w->piece_arena);
    ctn_chain_row row;
    ctn_definition definition;
    const ctn_json *body = NULL;
    ctn_json_options options = {.depth_max = CTN_JSON_DEPTH_MAX + 64};
    int rc = w->from->ops->chain_get(w->from, w->piece_arena, chain_id, 0, &row, w->err);
    if (rc == CTN_OK)
        rc = w->from->ops->definition_get(w->from, w->piece_arena, &row.digest, &definition, w->err);
    *ret_is_counted = rc == CTN_OK &&
                      ctn_json_parse(w->piece_arena, definition.body, &options, &body, NULL) == CTN_OK &&
                      ctn_json_member_of(body, "maxConcurrent");
    ctn_arena_restore(w->piece_arena, mark);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

static int is_counted(copy_walk *w, ctn_str chain_id, bool *ret_is_counted)
{
    for (size_t i = 0; i < w->chain_count; i++)
        if (ctn_str_equal(w->chains[i].chain_id, chain_id)) {
            *ret_is_counted = w->chains[i].is_counted;
            return CTN_OK;
        }
    int rc = ask_counted(w, chain_id, ret_is_counted);
    if (rc)
        return rc;
    ROOM(w->chains, w->chain_count, w->chain_capacity);
    w->chains[w->chain_count++] = (struct counted_chain){ctn_arena_str(w->arena, chain_id), *ret_is_counted};
    return CTN_OK;
}

static int find_home(copy_walk *w, const ctn_execution_row *row, uint32_t *ret_shard)
{
    bool counted = false;
    bool has_parent = !ctn_id_is_none(row->parent);
    /* In a fleet a sub-chain may have lived elsewhere than its parent, and its id says so. */
    bool is_with_parent = has_parent && (w->from_shards == 1 || ctn_shard_of_id(row->id, w->from_shards) ==
                                                                    ctn_shard_of_id(row->parent, w->from_shards));
    *ret_shard = is_with_parent ? shard_of(w, row->parent) : ctn_shard_of_id(row->id, w->to_shards);
    if (is_with_parent || ctn_status_is_final(row->status))
        return CTN_OK;
    int rc = is_counted(w, row->chain_id, &counted);
    if (rc == CTN_OK && counted)
        *ret_shard = ctn_shard_of_name(CTN_STR("chain"), row->chain_id, w->to_shards);
    else if (rc == CTN_OK && ctn_str_starts_with(row->queue_key, CTN_STR("sealed:"))) /* engine/placement.c */
        *ret_shard = ctn_shard_of_name(CTN_STR("lines"), CTN_STR("sensitive"), w->to_shards);
    else if (rc == CTN_OK && row->queue_key.len)
        *ret_shard = ctn_shard_of_name(CTN_STR("line"), row->queue_key, w->to_shards);
    return rc;
}

/* A line is of one shard. Of two chains with one key that do not live together there, each has a line of its own, and
 * its first is not held back by the other's. */
static bool is_behind_another(copy_walk *w, const ctn_execution_row *row, uint32_t shard)
{
    ctn_execution_id line;
    ctn_hasher hasher;
    ctn_hasher_init(&hasher);
    ctn_hasher_add(&hasher, (ctn_str){(const char *) &shard, sizeof shard});
    ctn_hasher_add(&hasher, row->queue_key);
    ctn_digest digest = ctn_hasher_finish(&hasher);
    memcpy(line.bytes, digest.bytes, sizeof line.bytes);
    if (w->lines.capacity && !ctn_id_is_none(moved_slot(&w->lines, line)->id))
        return true;
    moved_add(&w->lines, line, shard);
    return false;
}

/* ---- pieces ---- */

static int put_piece(copy_walk *w)
{
    if (w->piece_count == 0)
        return CTN_OK;
    for (size_t i = 0; i < w->piece_count; i++) {
        w->piece[i].records = w->records + w->first_record[i];
        w->piece[i].positions = w->positions + w->first_record[i];
        w->piece[i].count = (i + 1 < w->piece_count ? w->first_record[i + 1] : w->record_count) - w->first_record[i];
    }
    ctn_copied some = {.executions = w->piece, .execution_count = w->piece_count};
    int rc = w->to->ops->copy->put(w->to, &some, w->err);
    w->piece_count = w->record_count = w->bytes = 0;
    ctn_arena_reset(w->piece_arena);
    if (rc == CTN_OK && w->options->on_progress)
        w->options->on_progress(w->options->ctx, w->report);
    return rc;
}

static ctn_copied_execution *begin_execution(copy_walk *w, int64_t exec_no)
{
    ROOM(w->piece, w->piece_count, w->piece_capacity);
    ROOM(w->first_record, w->piece_count, w->first_capacity);
    w->first_record[w->piece_count] = w->record_count;
    w->piece[w->piece_count] = (ctn_copied_execution){.exec_no = exec_no};
    return &w->piece[w->piece_count++];
}

static int take_record(void *ctx, const ctn_record *record, int64_t position)
{
    copy_walk *w = ctx;
    if (w->record_count >= PIECE_ENTRIES || w->bytes >= PIECE_BYTES) {
        int64_t exec_no = w->piece[w->piece_count - 1].exec_no;
        int rc = put_piece(w);
        if (rc)
            return rc;
        begin_execution(w, exec_no);
    }
    ROOM(w->records, w->record_count, w->record_capacity);
    ROOM(w->positions, w->record_count, w->position_capacity);
    ctn_record *kept = &w->records[w->record_count];
    *kept = *record;
    kept->step = ctn_arena_str(w->piece_arena, record->step);
    kept->actor = ctn_arena_str(w->piece_arena, record->actor);
    kept->body = ctn_arena_str(w->piece_arena, record->body);
    kept->sealed = ctn_arena_str(w->piece_arena, record->sealed);
    w->positions[w->record_count++] = position;
    w->bytes += sizeof *kept + record->body.len + record->sealed.len;
    w->seq_last = record->seq;
    w->report->entries++;
    return CTN_OK;
}

/* ---- an execution ---- */

/* Behind a fault, what is left, as it stands: its damage is copied with it. */
static int take_raw(void *ctx, const ctn_raw_record *raw)
{
    copy_walk *w = ctx;
    if (raw->record.seq <= w->seq_last && !raw->is_lost)
        return CTN_OK;
    if (raw->is_lost || raw->record.kind == CTN_ENTRY_KIND_COUNT) {
        w->report->lost++;
        return CTN_OK;
    }
    return take_record(w, &raw->record, raw->position);
}

static int copy_journal(copy_walk *w, int64_t exec_no, bool *ret_is_damaged)
{
    w->seq_last = 0;
    int rc = ctn_store_journal_read(w->from, exec_no, 1, take_record, w, w->err);
    if (rc != CTN_E_CORRUPT)
        return rc;
    *ret_is_damaged = true;
    rc = ctn_store_journal_read_raw(w->from, exec_no, take_raw, w, w->err);
    return rc == CTN_E_CORRUPT ? CTN_OK : rc;
}

static int copy_key(copy_walk *w, int64_t exec_no, ctn_copied_execution *copied)
{
    ctn_data_key key;
    int rc = w->from->ops->data_key_get(w->from, w->piece_arena, exec_no, &key, w->err);
    if (rc)
        return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
    ctn_data_key *kept = CTN_NEW(w->piece_arena, ctn_data_key);
    *kept = key;
    copied->key = kept;
    return CTN_OK;
}

/* What the quarantine says of it gets the number that it has there. */
static void renumber_quarantined(copy_walk *w, int64_t exec_no, int64_t exec_no_there)
{
    while (w->quarantine_next < w->quarantine_count && w->quarantine[w->quarantine_next].exec_no <= exec_no) {
        ctn_quarantine_row *row = &w->quarantine[w->quarantine_next++];
        row->exec_no = row->exec_no == exec_no ? exec_no_there : -1;
    }
}

static int copy_execution(copy_walk *w, const ctn_execution_row *row)
{
    uint32_t shard = 0;
    bool is_damaged = row->damage.len > 0;
    if (ctn_id_is_none(row->id)) {
        w->report->lost++;
        return CTN_OK;
    }
    int rc = w->to_shards > 1 ? find_home(w, row, &shard) : CTN_OK;
    if (rc)
        return rc;
    int64_t exec_no = w->to->ops->fleet ? ++w->done * w->to_shards + shard : ++w->done;
    if (w->to_shards > 1 && shard != ctn_shard_of_id(row->id, w->to_shards)) {
        moved_add(&w->moved, row->id, shard);
        w->report->moved++;
    }
    renumber_quarantined(w, row->exec_no, exec_no);
    ctn_copied_execution *copied = begin_execution(w, exec_no);
    ctn_execution_row *kept = CTN_NEW(w->piece_arena, ctn_execution_row);
    *kept = ctn_row_copy(w->piece_arena, row);
    kept->exec_no = exec_no;
    if (row->queue_key.len && !ctn_status_is_final(row->status))
        kept->is_held = is_behind_another(w, row, shard) && row->status == CTN_STATUS_QUEUED;
    copied->row = kept;
    w->bytes += sizeof *kept + row->input.len + row->outputs.len + row->labels.len;
    rc = copy_key(w, row->exec_no, copied);
    if (rc == CTN_OK)
        rc = copy_journal(w, row->exec_no, &is_damaged);
    w->report->executions++;
    w->report->damaged += is_damaged;
    return rc;
}

/* ---- all of them ---- */

static int take_row(void *ctx, const ctn_execution_row *row)
{
    copy_walk *w = ctx;
    ROOM(w->page, w->page_count, w->page_capacity);
    w->page[w->page_count++] = ctn_row_copy(w->page_arena, row);
    return 0;
}

/* Those with numbers from behind `after` to `last`. */
static int copy_page(copy_walk *w, int64_t after, int64_t last)
{
    ctn_execution_filter filter = {.after_exec_no = after, .before_exec_no = last + 1};
    w->page_count = 0;
    ctn_arena_reset(w->page_arena);
    int rc = ctn_store_execution_list(w->from, &filter, take_row, w, w->err);
    if (rc == CTN_E_CORRUPT) { /* the rest was told */
        w->report->lost++;
        rc = CTN_OK;
    }
    for (size_t i = w->page_count; rc == CTN_OK && i-- > 0;)
        rc = copy_execution(w, &w->page[i]);
    return rc;
}

static int take_quarantined(void *ctx, const ctn_quarantine_row *row)
{
    copy_walk *w = ctx;
    ROOM(w->quarantine, w->quarantine_count, w->quarantine_capacity);
    ctn_quarantine_row *kept = &w->quarantine[w->quarantine_count++];
    *kept = *row;
    kept->chain_id = ctn_arena_str(w->arena, row->chain_id);
    kept->reason = ctn_arena_str(w->arena, row->reason);
    return 0;
}

static int put_quarantined(copy_walk *w)
{
    size_t count = 0;
    for (size_t i = 0; i < w->quarantine_next; i++)
        if (w->quarantine[i].exec_no > 0)
            w->quarantine[count++] = w->quarantine[i];
    ctn_copied some = {.quarantined = w->quarantine, .quarantined_count = count};
    return count ? w->to->ops->copy->put(w->to, &some, w->err) : CTN_OK;
}

int ctn_copy_walk_all(copy_walk *w, ctn_err *err)
{
    int64_t last = 0, page = (int64_t) PAGE_NUMBERS * w->from_shards;
    w->err = err;
    int rc = ctn_store_exec_no_last(w->from, &last, err);
    if (rc == CTN_OK)
        rc = ctn_store_quarantine_list(w->from, take_quarantined, w, err);
    for (int64_t after = 0; rc == CTN_OK && after < last; after += page)
        rc = copy_page(w, after, after + page);
    if (rc == CTN_OK)
        rc = put_piece(w);
    return rc ? rc : put_quarantined(w);
}

copy_walk *ctn_copy_walk_new(ctn_store *from, ctn_store *to, const ctn_copy_options *options, ctn_copy_report *report)
{
    copy_walk *w = ctn_calloc(1, sizeof *w);
    *w = (copy_walk){.from = from,
                     .to = to,
                     .options = options,
                     .report = report,
                     .from_shards = ctn_store_shard_count(from),
                     .to_shards = ctn_store_shard_count(to),
                     .arena = ctn_arena_new(4096),
                     .page_arena = ctn_arena_new(65536),
                     .piece_arena = ctn_arena_new(65536)};
    return w;
}

void ctn_copy_walk_free(copy_walk *w)
{
    if (!w)
        return;
    ctn_arena_free(w->arena);
    ctn_arena_free(w->page_arena);
    ctn_arena_free(w->piece_arena);
    free(w->moved.slots);
    free(w->lines.slots);
    free(w->page);
    free(w->piece);
    free(w->first_record);
    free(w->records);
    free(w->positions);
    free(w->quarantine);
    free(w->chains);
    free(w);
}
