/*
 * expression_pattern.c -- regular expressions for `matches`.
 *
 * PCRE2 asks us for all its memory and gets it from an arena, so a compiled pattern lives and dies with its
 * expression and nothing is left to free. Both the pattern and the text may be somebody else's: the pattern's
 * length and nesting, and the match's steps, depth and memory are bounded. UTF-8 that is not valid matches
 * nothing instead of being undefined.
 */
#include "value/expression_node.h"

#define PATTERN_BYTES_MAX 4096
#define NESTING_MAX       50
/* PCRE2 counts steps anew at each place where a match might begin, so the limit shrinks as the text grows. */
#define MATCH_STEPS_TOTAL 20000000
#define MATCH_STEPS_MIN   1000
#define MATCH_STEPS_MAX   200000
#define MATCH_DEPTH_MAX   5000
#define MATCH_HEAP_KIB    1024

static void *allocate(PCRE2_SIZE bytes, void *arena)
{
    return ctn_arena_alloc(arena, bytes);
}

static void release(void *memory, void *arena)
{
    (void) memory;
    (void) arena;
}

int expression_pattern_compile(ctn_arena *arena, ctn_str pattern, const pcre2_code **ret_code, ctn_err *err)
{
    if (pattern.len > PATTERN_BYTES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "a regular expression has at most %d bytes", PATTERN_BYTES_MAX);
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, arena);
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    (void) pcre2_set_parens_nest_limit(context, NESTING_MAX);
    int code = 0;
    PCRE2_SIZE offset = 0;
    PCRE2_SPTR text = (PCRE2_SPTR) (pattern.len ? pattern.ptr : "");
    pcre2_code *compiled = pcre2_compile(
        text, pattern.len, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &code,
        &offset, context);
    if (!compiled) {
        PCRE2_UCHAR sentence[200];
        if (pcre2_get_error_message(code, sentence, sizeof sentence) < 0)
            sentence[0] = '\0';
        return ctn_fail(err, CTN_E_INVALID, "bad regular expression, at its byte %zu: %s", (size_t) offset + 1,
                        (const char *) sentence);
    }
    *ret_code = compiled;
    return CTN_OK;
}

ctn_failure expression_pattern_match(ctn_arena *arena, const pcre2_code *code, ctn_str subject, bool *ret_matches)
{
    ctn_arena_mark mark = ctn_arena_save(arena);
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, arena);
    pcre2_match_context *context = pcre2_match_context_create(general);
    size_t steps = MATCH_STEPS_TOTAL / (subject.len + 1);
    steps = steps < MATCH_STEPS_MIN ? MATCH_STEPS_MIN : steps > MATCH_STEPS_MAX ? MATCH_STEPS_MAX : steps;
    (void) pcre2_set_match_limit(context, (uint32_t) steps);
    (void) pcre2_set_depth_limit(context, MATCH_DEPTH_MAX);
    (void) pcre2_set_heap_limit(context, MATCH_HEAP_KIB);
    pcre2_match_data *data = pcre2_match_data_create(1, general);
    PCRE2_SPTR text = (PCRE2_SPTR) (subject.len ? subject.ptr : "");
    int rc = pcre2_match(code, text, subject.len, 0, 0, data, context);
    ctn_arena_restore(arena, mark);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        return CTN_FAILURE_EXPRESSION_LIMIT;
    *ret_matches = rc >= 0;
    return CTN_FAILURE_NONE;
}
