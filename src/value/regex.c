/*
 * regex.c -- ECMA-262's regular expressions on PCRE2.
 *
 * PCRE2 has options for most of the difference; what it has none for is rewritten before it compiles: \s and \S
 * (ECMA's white space is Unicode's) and \p{...} (PCRE2 knows general categories by their short names only).
 * Everything else passes through byte for byte.
 *
 * What must hold: no match runs long. PCRE2 counts its steps anew for each start in the text, so the limit
 * of steps shrinks as the text grows, unless the pattern can start at one place only. The JIT is not used:
 * it counts differently and its memory is executable.
 */
#include "value/regex.h"
#include "base/buf.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define STEPS_MAX             10000000u /* of a whole search */
#define STEPS_START_MIN       1000u     /* of each start, however long the text is */
#define QUICK_STEPS_MAX       20000u
#define QUICK_STEPS_START_MIN 100u
#define DEPTH_MAX             200000u
#define HEAP_KIB_MAX          32768u
#define NESTING_MAX           100u

struct ctn_regex {
    pcre2_code *code;
    bool is_anchored;
};

/* ---- rewriting ---- */

#define WHITE_SPACE "\\t\\n\\x0B\\f\\r \\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uFEFF"

static const struct {
    const char *name, *category;
} CATEGORIES[] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

/* \p{NAME} at the start of `rest`: writes it as PCRE2 knows it and returns its bytes; 0: not of that form. */
static size_t rewrite_property(ctn_str rest, ctn_buf *out)
{
    if (rest.len < 4 || rest.ptr[2] != '{')
        return 0;
    const char *close = memchr(rest.ptr + 3, '}', rest.len - 3);
    if (!close)
        return 0;
    ctn_str name = {rest.ptr + 3, (size_t) (close - rest.ptr) - 3}, value = name;
    ctn_str key = ctn_str_cut(&value, '=');
    if (!value.ptr)
        value = key;
    for (size_t i = 0; i < sizeof CATEGORIES / sizeof *CATEGORIES; i++)
        if (ctn_str_is(value, CATEGORIES[i].name))
            value = ctn_str_from(CATEGORIES[i].category);
    ctn_buf_printf(out, "\\%c{%.*s}", rest.ptr[1], CTN_STR_ARG(value));
    return (size_t) (close - rest.ptr) + 1;
}

static void rewrite(ctn_str pattern, ctn_buf *out)
{
    bool in_class = false;
    for (size_t at = 0; at < pattern.len;) {
        char c = pattern.ptr[at];
        if (c != '\\' || at + 1 == pattern.len) {
            bool was_in_class = in_class;
            in_class = c == '[' ? true : c == ']' ? false : in_class;
            if (c == '[' && was_in_class) /* itself there in ECMA; PCRE2 would see [: [. and [= */
                ctn_buf_append_char(out, '\\');
            ctn_buf_append_char(out, c);
            at++;
            continue;
        }
        ctn_str rest = ctn_str_from_offset(pattern, at);
        char escape = rest.ptr[1];
        size_t bytes = escape == 'p' || escape == 'P' ? rewrite_property(rest, out) : 0;
        if (escape == 's' || (escape == 'S' && !in_class)) {
            ctn_buf_append(out, ctn_str_from(in_class ? "" : escape == 's' ? "[" : "[^"));
            ctn_buf_append_literal(out, WHITE_SPACE);
            ctn_buf_append(out, ctn_str_from(in_class ? "" : "]"));
            bytes = 2;
        } else if (bytes == 0) {
            ctn_buf_append(out, (ctn_str){rest.ptr, 2});
            bytes = 2;
        }
        at += bytes;
    }
}

/* ---- compiling ---- */

/* PCRE2 keeps its code in our memory, so that work which is given up gives it back. */
static void *take_memory(size_t bytes, void *ctx)
{
    (void) ctx;
    return ctn_malloc(bytes);
}

static void free_memory(void *memory, void *ctx)
{
    (void) ctx;
    ctn_free(memory);
}

static int compile(ctn_str text, pcre2_compile_context *context, pcre2_code **ret_code, ctn_err *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
                       PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C;
    int code = 0;
    size_t offset = 0;
    *ret_code = pcre2_compile((PCRE2_SPTR) text.ptr, text.len, options, &code, &offset, context);
    if (*ret_code)
        return CTN_OK;
    unsigned char sentence[160];
    pcre2_get_error_message(code, sentence, sizeof sentence);
    return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) offset + 1, "the regular expression is not well-formed: %s",
                       (const char *) sentence);
}

int ctn_regex_compile(ctn_str pattern, ctn_regex **ret_regex, ctn_err *err)
{
    if (pattern.len > CTN_REGEX_PATTERN_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "a regular expression of %zu bytes, at most %d", pattern.len,
                        CTN_REGEX_PATTERN_BYTES_MAX);
    ctn_buf text;
    ctn_buf_init(&text, (size_t) 64 * (CTN_REGEX_PATTERN_BYTES_MAX + 1));
    rewrite(pattern, &text);
    assert(!text.overflowed); /* the longest rewriting is shorter than that */
    pcre2_general_context *memory = pcre2_general_context_create(take_memory, free_memory, NULL);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    assert(memory && context); /* take_memory does not fail */
    pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, NESTING_MAX);
    pcre2_code *code = NULL;
    int rc = compile(text.len ? ctn_buf_str(&text) : CTN_STR(""), context, &code, err);
    if (rc == CTN_OK) {
        uint32_t options = 0;
        pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
        ctn_regex *regex = ctn_malloc(sizeof *regex);
        *regex = (ctn_regex){code, (options & PCRE2_ANCHORED) != 0};
        *ret_regex = regex;
    } else if (err && err->column > pattern.len + 1) { /* the offset is the rewritten text's */
        err->column = (uint32_t) pattern.len + 1;
    }
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    ctn_buf_done(&text);
    return rc;
}

void ctn_regex_free(ctn_regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    ctn_free(regex);
}

/* PCRE2's code: 1 or more is a match, PCRE2_ERROR_NOMATCH none. */
static int match(const ctn_regex *regex, ctn_str subject, size_t steps_max, size_t steps_start_min)
{
    size_t starts = regex->is_anchored ? 1 : subject.len + 1;
    size_t steps = steps_max / starts;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (!context || !data) {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
        ctn_memory_gone(0);
    }
    pcre2_set_match_limit(context, (uint32_t) (steps < steps_start_min ? steps_start_min : steps));
    pcre2_set_depth_limit(context, DEPTH_MAX);
    pcre2_set_heap_limit(context, HEAP_KIB_MAX);
    PCRE2_SPTR text = (PCRE2_SPTR) (subject.len ? subject.ptr : "");
    int count = pcre2_match(regex->code, text, subject.len, 0, 0, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    bool is_no_text = count <= PCRE2_ERROR_UTF8_ERR1 && count >= PCRE2_ERROR_UTF8_ERR21;
    return is_no_text ? PCRE2_ERROR_NOMATCH : count == 0 ? 1 : count;
}

int ctn_regex_search(const ctn_regex *regex, ctn_str subject, bool *ret_matches, ctn_err *err)
{
    int count = match(regex, subject, STEPS_MAX, STEPS_START_MIN);
    if (count < 0 && count != PCRE2_ERROR_NOMATCH)
        return ctn_fail(err, CTN_E_LIMIT, "the regular expression takes too long on a text of %zu bytes", subject.len);
    *ret_matches = count > 0;
    return CTN_OK;
}

int ctn_regex_search_quick(const ctn_regex *regex, ctn_str subject, bool *ret_matches)
{
    int count = match(regex, subject, QUICK_STEPS_MAX, QUICK_STEPS_START_MIN);
    if (count < 0 && count != PCRE2_ERROR_NOMATCH)
        return CTN_E_LIMIT;
    *ret_matches = count > 0;
    return CTN_OK;
}
