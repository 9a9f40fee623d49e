/*
 * jq.c -- see transform/jq.h.
 *
 * What must hold: no number changes its value on the way in, and what comes out reads back as jq's double. Values of
 * jq are shared: what is small in jq (fifty times [., .]) can be without end as a tree, so the way out counts bytes.
 *
 * Numbers that keep their text: the double of each number with a fraction is noted with its text. Two texts for one
 * double (19.9 and 19.90) cannot be told apart afterwards, so neither is kept. Whole numbers are not noted: a length of
 * 1 must not come out as the 1.0 that stood somewhere in the input.
 */
#include "drivers/transform/jq.h"
#include <assert.h>
#include <float.h>
#include <jq.h>
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

typedef struct program {
    ctn_str text; /* owned */
    jq_state *state;
    uint64_t used_at;
} program;

struct ctn_jq {
    void (*out_of_memory)(void *ctx);
    program programs[CTN_JQ_PROGRAMS_MAX];
    size_t count;
    uint64_t clock;
};

/* ---- programs ---- */

/* "jq: error: SENTENCE at <top-level>, line 2:\nTHE LINE": the sentence and the number of the line. */
static void keep_first(void *ctx, jv message)
{
    ctn_err *err = ctx;
    if (err->code == CTN_OK && jv_get_kind(message) == JV_KIND_STRING) {
        ctn_str rest = {jv_string_value(message), (size_t) jv_string_length_bytes(jv_copy(message))};
        ctn_str sentence = ctn_str_cut(&rest, '\n');
        static const ctn_str PREFIX = {"jq: error: ", 11}, PLACE = {" at <top-level>, line ", 22},
                             SHELL = {" (Unix shell quoting issues?)", 29};
        if (ctn_str_starts_with(sentence, PREFIX))
            sentence = ctn_str_from_offset(sentence, PREFIX.len);
        size_t at = ctn_str_find(sentence, PLACE);
        ctn_str line = at == SIZE_MAX ? CTN_STR("1") : ctn_str_from_offset(sentence, at + PLACE.len);
        if (at != SIZE_MAX)
            sentence.len = at;
        size_t shell = ctn_str_find(sentence, SHELL);
        if (shell != SIZE_MAX)
            sentence.len = shell;
        line = ctn_str_cut(&line, ':');
        if (sentence.len > CTN_JQ_MESSAGE_BYTES)
            sentence.len = CTN_JQ_MESSAGE_BYTES;
        (void) ctn_fail(err, CTN_E_INVALID, "%.*s, in line %.*s of the program", CTN_STR_ARG(sentence),
                        CTN_STR_ARG(line));
    }
    jv_free(message);
}

static void ignore(void *ctx, jv message)
{
    (void) ctx;
    jv_free(message);
}

static void program_done(program *p)
{
    jq_teardown(&p->state);
    free((char *) p->text.ptr);
}

static program *find(ctn_jq *jq, ctn_str text)
{
    for (size_t i = 0; i < jq->count; i++)
        if (ctn_str_equal(jq->programs[i].text, text))
            return &jq->programs[i];
    return NULL;
}

static program *slot_for(ctn_jq *jq)
{
    if (jq->count < CTN_JQ_PROGRAMS_MAX)
        return &jq->programs[jq->count++];
    program *oldest = &jq->programs[0];
    for (size_t i = 1; i < jq->count; i++)
        if (jq->programs[i].used_at < oldest->used_at)
            oldest = &jq->programs[i];
    program_done(oldest);
    return oldest;
}

static ctn_jq_outcome compile(ctn_jq *jq, ctn_str text, program **ret_program, ctn_err *err)
{
    program *p = find(jq, text);
    if (!p) {
        ctn_err told = {0};
        char *copy = ctn_malloc(text.len + 1);
        if (text.len)
            memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        jq_state *state = jq_init();
        assert(state);
        jq_set_nomem_handler(state, jq->out_of_memory, NULL);
        jq_set_error_cb(state, keep_first, &told);
        bool is_good = !memchr(copy, '\0', text.len) && jq_compile(state, copy);
        jq_set_error_cb(state, ignore, NULL);
        if (!is_good) {
            (void) ctn_fail(err, CTN_E_INVALID, "%s", told.code ? told.message : "jq does not say why");
            jq_teardown(&state);
            free(copy);
            return CTN_JQ_BAD_PROGRAM;
        }
        jq_set_debug_cb(state, ignore, NULL);
        p = slot_for(jq);
        *p = (program){.text = {copy, text.len}, .state = state};
    }
    p->used_at = ++jq->clock;
    *ret_program = p;
    return CTN_JQ_OK;
}

ctn_jq *ctn_jq_new(void (*out_of_memory)(void *ctx))
{
    ctn_jq *jq = ctn_malloc(sizeof *jq);
    *jq = (ctn_jq){.out_of_memory = out_of_memory};
    jv_nomem_handler(out_of_memory, NULL); /* of this thread: outside of a program */
    return jq;
}

void ctn_jq_free(ctn_jq *jq)
{
    if (!jq)
        return;
    for (size_t i = 0; i < jq->count; i++)
        program_done(&jq->programs[i]);
    free(jq);
}

ctn_jq_outcome ctn_jq_compile(ctn_jq *jq, ctn_str program_text, ctn_err *err)
{
    program *ignored;
    return compile(jq, program_text, &ignored, err);
}

/* ---- texts of numbers ---- */

typedef struct number {
    double value;
    ctn_str text; /* ptr NULL: a free slot; empty: two texts */
} number;

typedef struct numbers {
    number *slots;
    size_t count, capacity; /* capacity: a power of two, or 0 */
} numbers;

static number *numbers_slot(const numbers *n, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    size_t i = (size_t) (bits * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (n->capacity - 1);
    while (n->slots[i].text.ptr && n->slots[i].value != value)
        i = (i + 1) & (n->capacity - 1);
    return &n->slots[i];
}

static void numbers_note(numbers *n, double value, ctn_str text)
{
    if (4 * n->count >= 3 * n->capacity) {
        numbers grown = {.capacity = n->capacity ? 2 * n->capacity : 64};
        grown.slots = ctn_realloc_array(NULL, grown.capacity, sizeof *grown.slots);
        memset(grown.slots, 0, grown.capacity * sizeof *grown.slots);
        for (size_t i = 0; i < n->capacity; i++)
            if (n->slots[i].text.ptr)
                *numbers_slot(&grown, n->slots[i].value) = n->slots[i];
        grown.count = n->count;
        free(n->slots);
        *n = grown;
    }
    number *slot = numbers_slot(n, value);
    if (!slot->text.ptr) {
        *slot = (number){value, text};
        n->count++;
    } else if (!ctn_str_equal(slot->text, text)) {
        slot->text.len = 0;
    }
}

static ctn_str numbers_text(const numbers *n, double value)
{
    const number *slot = n->capacity ? numbers_slot(n, value) : NULL;
    return slot && slot->text.ptr ? slot->text : (ctn_str){0};
}

/* ---- in ---- */

typedef struct place { /* a way down, from its end */
    const struct place *up;
    ctn_str key; /* ptr NULL: an index */
    size_t index;
} place;

typedef struct taking {
    ctn_arena *arena;
    numbers numbers;
    ctn_err *err;
} taking;

static ctn_str path_of(ctn_arena *arena, const place *p)
{
    if (!p)
        return CTN_STR("");
    ctn_str up = path_of(arena, p->up);
    if (!p->key.ptr)
        return ctn_arena_printf(arena, "%.*s[%zu]", CTN_STR_ARG(up), p->index);
    ctn_str key = p->key;
    if (key.len > 64)
        key.len = 64;
    return ctn_arena_printf(arena, "%.*s.%.*s", CTN_STR_ARG(up), CTN_STR_ARG(key));
}

static ctn_jq_outcome refuse_number(taking *t, const place *at, const char *why)
{
    ctn_str path = path_of(t->arena, at);
    (void) ctn_fail(t->err, CTN_E_INVALID, "the number at %.*s%s", CTN_STR_ARG(path.len ? path : CTN_STR(".")), why);
    return CTN_JQ_BAD_INPUT;
}

static ctn_jq_outcome take_number(taking *t, const ctn_json *v, const place *at, jv *ret)
{
    static const ctn_json ZERO = {.kind = CTN_JSON_NUMBER, .count = 1, .text = "0"},
                          MAX = {.kind = CTN_JSON_NUMBER, .count = 16, .text = "9007199254740992"},
                          MIN = {.kind = CTN_JSON_NUMBER, .count = 17, .text = "-9007199254740992"};
    ctn_str text = ctn_arena_str(t->arena, ctn_json_text(v));
    double value = strtod(text.ptr, NULL);
    if (fabs(value) >= WHOLE_MAX && (ctn_json_number_compare(v, &MAX) > 0 || ctn_json_number_compare(v, &MIN) < 0))
        return refuse_number(t, at, " is over 2^53, and jq would round it; pass it as a text");
    if (value == 0 && ctn_json_number_compare(v, &ZERO) != 0)
        return refuse_number(t, at, " is so small that jq would make it 0; pass it as a text");
    if (value != floor(value))
        numbers_note(&t->numbers, value, text);
    *ret = jv_number(value);
    return CTN_JQ_OK;
}

static jv take_string(const ctn_json *v)
{
    return jv_string_sized(v->count ? v->text : "", (int) v->count);
}

static ctn_jq_outcome take(taking *t, const ctn_json *v, const place *at, jv *ret)
{
    ctn_jq_outcome outcome = CTN_JQ_OK;
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL: *ret = jv_null(); break;
    case CTN_JSON_FALSE: *ret = jv_false(); break;
    case CTN_JSON_TRUE: *ret = jv_true(); break;
    case CTN_JSON_NUMBER: return take_number(t, v, at, ret);
    case CTN_JSON_STRING: *ret = take_string(v); break;
    case CTN_JSON_ARRAY: {
        jv list = jv_array_sized((int) (v->count ? v->count : 1));
        for (uint32_t i = 0; outcome == CTN_JQ_OK && i < v->count; i++) {
            jv item = jv_null();
            outcome = take(t, &v->items[i], &(place){.up = at, .index = i}, &item);
            if (outcome == CTN_JQ_OK)
                list = jv_array_append(list, item);
        }
        *ret = list;
        break;
    }
    case CTN_JSON_OBJECT: {
        jv object = jv_object();
        for (uint32_t i = 0; outcome == CTN_JQ_OK && i < v->count; i++) {
            const ctn_json_member *m = &v->members[i];
            jv value = jv_null();
            ctn_str key = {m->key.count ? m->key.text : "", m->key.count};
            outcome = take(t, &m->value, &(place){.up = at, .key = key}, &value);
            if (outcome == CTN_JQ_OK)
                object = jv_object_set(object, take_string(&m->key), value);
        }
        *ret = object;
        break;
    }
    }
    if (outcome)
        jv_free(*ret);
    return outcome;
}

/* ---- out ---- */

typedef struct giving {
    ctn_arena *arena;
    const numbers *numbers;
    size_t bytes;
    ctn_err *err;
} giving;

static const ctn_json *give_number(giving *g, double value)
{
    if (isnan(value))
        return &ctn_json_null; /* as jq prints them */
    if (isinf(value))
        value = value > 0 ? DBL_MAX : -DBL_MAX;
    if (value == floor(value) && fabs(value) < 1e18)
        return ctn_json_int(g->arena, (int64_t) value);
    ctn_str kept = numbers_text(g->numbers, value);
    if (kept.len)
        return ctn_json_number(g->arena, kept);
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void) snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return ctn_json_number(g->arena, ctn_str_from(text));
}

static ctn_jq_outcome count_bytes(giving *g, size_t bytes)
{
    g->bytes += bytes;
    if (g->bytes <= CTN_JQ_BYTES_MAX)
        return CTN_JQ_OK;
    (void) ctn_fail(g->err, CTN_E_LIMIT, "the result is larger than 15 MiB");
    return CTN_JQ_LIMIT;
}

static ctn_jq_outcome give_string(giving *g, jv v, const ctn_json **ret)
{
    ctn_str text = {jv_string_value(v), (size_t) jv_string_length_bytes(jv_copy(v))};
    ctn_jq_outcome outcome = count_bytes(g, text.len);
    if (outcome)
        return outcome;
    if (!ctn_str_is_utf8(text)) {
        (void) ctn_fail(g->err, CTN_E_INVALID, "the result holds a text that is no UTF-8");
        return CTN_JQ_FAILED;
    }
    *ret = ctn_json_string(g->arena, text);
    return CTN_JQ_OK;
}

/* Borrows v. */
static ctn_jq_outcome give(giving *g, jv v, uint32_t depth, const ctn_json **ret)
{
    if (depth > CTN_JQ_DEPTH_MAX) {
        (void) ctn_fail(g->err, CTN_E_LIMIT, "the result is nested deeper than %d levels", CTN_JQ_DEPTH_MAX);
        return CTN_JQ_LIMIT;
    }
    ctn_jq_outcome outcome = count_bytes(g, 4);
    if (outcome)
        return outcome;
    const ctn_json *child = NULL;
    switch (jv_get_kind(v)) {
    case JV_KIND_FALSE: *ret = &ctn_json_false; break;
    case JV_KIND_TRUE: *ret = &ctn_json_true; break;
    case JV_KIND_NUMBER: *ret = give_number(g, jv_number_value(v)); break;
    case JV_KIND_STRING: return give_string(g, v, ret);
    case JV_KIND_ARRAY: {
        ctn_json_builder list = ctn_json_array(g->arena);
        int count = jv_array_length(jv_copy(v));
        for (int i = 0; outcome == CTN_JQ_OK && i < count; i++) {
            jv item = jv_array_get(jv_copy(v), i);
            outcome = give(g, item, depth + 1, &child);
            if (outcome == CTN_JQ_OK)
                ctn_json_push(&list, child);
            jv_free(item);
        }
        *ret = ctn_json_finish(&list);
        break;
    }
    case JV_KIND_OBJECT: {
        ctn_json_builder object = ctn_json_object(g->arena);
        for (int i = jv_object_iter(v); outcome == CTN_JQ_OK && jv_object_iter_valid(v, i);
             i = jv_object_iter_next(v, i)) {
            jv key = jv_object_iter_key(v, i), value = jv_object_iter_value(v, i);
            const ctn_json *name = NULL;
            outcome = give_string(g, key, &name);
            if (outcome == CTN_JQ_OK)
                outcome = give(g, value, depth + 1, &child);
            if (outcome == CTN_JQ_OK)
                ctn_json_put(&object, ctn_json_text(name), child);
            jv_free(key);
            jv_free(value);
        }
        *ret = ctn_json_finish(&object);
        break;
    }
    default: *ret = &ctn_json_null; break;
    }
    return outcome;
}

/* ---- a run ---- */

static ctn_str clip(ctn_str text)
{
    if (text.len <= CTN_JQ_MESSAGE_BYTES)
        return text;
    text.len = CTN_JQ_MESSAGE_BYTES;
    while (text.len > 0 && ((unsigned char) text.ptr[text.len] & 0xC0) == 0x80)
        text.len--; /* not in the middle of a character */
    return text;
}

/* What the program raised; takes it. False: it just came to its end. */
static bool has_raised(jv end, ctn_err *err)
{
    if (!jv_invalid_has_msg(jv_copy(end))) {
        jv_free(end);
        return false;
    }
    jv message = jv_invalid_get_msg(end);
    if (jv_get_kind(message) == JV_KIND_STRING) {
        ctn_str text = {jv_string_value(message), (size_t) jv_string_length_bytes(jv_copy(message))};
        (void) ctn_fail(err, CTN_E_INVALID, "%.*s", CTN_STR_ARG(clip(text)));
    } else {
        (void) ctn_fail(err, CTN_E_INVALID, "the program raised an error that is no text but of kind %s",
                        jv_kind_name(jv_get_kind(message)));
    }
    jv_free(message);
    return true;
}

static ctn_jq_outcome run(program *p, jv input, giving *g, const ctn_json **ret_value)
{
    jq_start(p->state, input, 0);
    jv result = jq_next(p->state);
    if (!jv_is_valid(result)) {
        bool is_failed = has_raised(result, g->err);
        jq_start(p->state, jv_null(), 0); /* lets go of what it still holds */
        if (is_failed)
            return CTN_JQ_FAILED;
        (void) ctn_fail(g->err, CTN_E_INVALID, "the program gave no result; it must give one value");
        return CTN_JQ_NO_RESULT;
    }
    jv second = jq_next(p->state);
    ctn_jq_outcome outcome = CTN_JQ_OK;
    if (jv_is_valid(second)) {
        jv_free(second);
        (void) ctn_fail(g->err, CTN_E_INVALID,
                        "the program gave more than one result; put [ ] around it for a list of them");
        outcome = CTN_JQ_SEVERAL_RESULTS;
    } else if (has_raised(second, g->err)) {
        outcome = CTN_JQ_FAILED;
    } else {
        outcome = give(g, result, 0, ret_value);
    }
    jv_free(result);
    jq_start(p->state, jv_null(), 0);
    return outcome;
}

ctn_jq_outcome ctn_jq_run(ctn_jq *jq, ctn_str program_text, const ctn_json *input, ctn_arena *arena,
                          const ctn_json **ret_value, ctn_err *err)
{
    ctn_err ignored = {0};
    program *p = NULL;
    err = err ? err : &ignored;
    ctn_jq_outcome outcome = compile(jq, program_text, &p, err);
    if (outcome)
        return outcome;
    taking t = {.arena = arena, .err = err};
    jv value;
    outcome = take(&t, input, NULL, &value);
    if (outcome == CTN_JQ_OK) {
        giving g = {.arena = arena, .numbers = &t.numbers, .err = err};
        const ctn_json *result = NULL;
        outcome = run(p, value, &g, &result);
        if (outcome == CTN_JQ_OK)
            *ret_value = result;
    }
    free(t.numbers.slots);
    return outcome;
}
