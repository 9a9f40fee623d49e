/* lead_text.c -- see lead_text.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lead/lead_text.h"

#include <assert.h>
#include <pcre2.h>

enum { RULES_MAX = 400, MATCH_LIMIT = 300000, DEPTH_LIMIT = 2000, HEAP_LIMIT_KIB = 4096 };

typedef struct rule {
    const char *pattern;
    pcre2_code *code;
} rule;

struct lead_rules {
    pcre2_general_context *memory;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_match_data *data;
    rule rules[RULES_MAX];
    size_t count;
};

/* ---- folding ---- */

/* Latin-1 letters from U+00C0 and Latin Extended-A from U+0100, as their plain letters; '?' is a blank. */
static const char LATIN_1[] = "aaaaaaaceeeeiiiidnoooooxouuuuypsaaaaaaaceeeeiiiidnooooo?ouuuuypy";
static const char EXTENDED_A[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
                                 "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static char fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c == '`' ? '\'' : (char) c;
    if (c >= 0xC0 && c <= 0xFF) {
        char letter = LATIN_1[c - 0xC0];
        return letter == '?' ? ' ' : letter;
    }
    if (c >= 0x100 && c - 0x100 < sizeof EXTENDED_A - 1)
        return EXTENDED_A[c - 0x100];
    if (c >= 0x1EA0 && c <= 0x1EF9) /* Vietnamese */
        return c < 0x1EB8   ? 'a'
               : c < 0x1EC8 ? 'e'
               : c < 0x1ECC ? 'i'
               : c < 0x1EE4 ? 'o'
               : c < 0x1EF2 ? 'u'
                            : 'y';
    switch (c) {
    case 0xA3: return (char) 0xA3;
    case 0x20AC: return (char) 0x80;
    case 0xA5: return (char) 0xA5;
    case 0x20B9: return (char) 0x82;
    case 0xB4:
    case 0x2018:
    case 0x2019:
    case 0x2BC: return '\'';
    case 0x201C:
    case 0x201D:
    case 0xAB:
    case 0xBB: return '"';
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212: return '-';
    case 0xD7: return 'x';
    default: return ' ';
    }
}

/* Bytes of the well-formed character at `at`, or 0. */
static size_t character(ctn_str s, size_t at, uint32_t *ret_c)
{
    uint8_t lead = (uint8_t) s.ptr[at];
    size_t bytes = lead < 0x80                   ? 1
                   : lead >= 0xC2 && lead < 0xE0 ? 2
                   : lead >= 0xE0 && lead < 0xF0 ? 3
                   : lead >= 0xF0 && lead < 0xF5 ? 4
                                                 : 0;
    if (bytes == 0 || at + bytes > s.len || !ctn_str_is_utf8((ctn_str){s.ptr + at, bytes}))
        return 0;
    uint32_t c = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
    for (size_t i = 1; i < bytes; i++)
        c = (c << 6) | ((uint8_t) s.ptr[at + i] & 0x3Fu);
    *ret_c = c;
    return bytes;
}

lead_text lead_text_make(ctn_arena *arena, ctn_str raw)
{
    char *clean = ctn_arena_alloc(arena, raw.len + 1);
    lead_text t = {.folded = ctn_arena_alloc(arena, raw.len + 1), .from = CTN_NEW_ARRAY(arena, uint32_t, raw.len + 1)};
    for (size_t i = 0; i < raw.len;) {
        uint32_t c = 0;
        size_t bytes = character(raw, i, &c);
        bool is_bad = bytes == 0 || c == 0 || (c < 0x20 && c != '\n' && c != '\t');
        if (bytes == 0)
            bytes = 1;
        if (is_bad)
            memset(clean + i, ' ', bytes);
        else
            memcpy(clean + i, raw.ptr + i, bytes);
        t.folded[t.len] = is_bad || c == '\t' ? ' ' : fold(c);
        t.from[t.len++] = (uint32_t) i;
        if (c == 0xDF && !is_bad) { /* sharp s is two letters; never longer than the two bytes it takes */
            t.folded[t.len] = 's';
            t.from[t.len++] = (uint32_t) i;
        }
        i += bytes;
    }
    t.from[t.len] = (uint32_t) raw.len;
    t.folded[t.len] = '\0';
    clean[raw.len] = '\0';
    t.original = (ctn_str){clean, raw.len};
    return t;
}

ctn_str lead_text_original(const lead_text *t, size_t start, size_t end)
{
    assert(start <= end && end <= t->len);
    return (ctn_str){t->original.ptr + t->from[start], t->from[end] - t->from[start]};
}

void lead_text_blank(lead_text *t, size_t start, size_t end)
{
    assert(start <= end && end <= t->len);
    for (size_t i = start; i < end; i++)
        if (t->folded[i] != '\n')
            t->folded[i] = ' ';
}

/* ---- rules ---- */

static void *from_arena(PCRE2_SIZE bytes, void *arena)
{
    return ctn_arena_alloc(arena, bytes);
}

static void leave_to_arena(void *memory, void *arena)
{
    (void) memory;
    (void) arena;
}

lead_rules *lead_rules_new(ctn_arena *arena)
{
    lead_rules *rules = CTN_NEW(arena, lead_rules);
    rules->memory = pcre2_general_context_create(from_arena, leave_to_arena, arena);
    rules->compile = pcre2_compile_context_create(rules->memory);
    rules->match = pcre2_match_context_create(rules->memory);
    rules->data = pcre2_match_data_create(LEAD_GROUPS_MAX, rules->memory);
    assert(rules->memory && rules->compile && rules->match && rules->data);
    pcre2_set_match_limit(rules->match, MATCH_LIMIT);
    pcre2_set_depth_limit(rules->match, DEPTH_LIMIT);
    pcre2_set_heap_limit(rules->match, HEAP_LIMIT_KIB);
    return rules;
}

static pcre2_code *code_of(lead_rules *rules, const char *pattern, uint32_t options)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].pattern == pattern)
            return rules->rules[i].code;
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR) pattern, PCRE2_ZERO_TERMINATED, options, &error, &at, rules->compile);
    assert(code && rules->count < RULES_MAX); /* the patterns are ours */
    rules->rules[rules->count++] = (rule){pattern, code};
    return code;
}

static bool find(lead_rules *rules, const char *pattern, uint32_t options, ctn_str text, size_t from,
                 lead_match *ret_match)
{
    if (from > text.len)
        return false;
    pcre2_code *code = code_of(rules, pattern, options);
    uint32_t match_options = options & PCRE2_UTF ? PCRE2_NO_UTF_CHECK : 0;
    int count = pcre2_match(code, (PCRE2_SPTR) (text.ptr ? text.ptr : ""), text.len, from, match_options, rules->data,
                            rules->match);
    if (count < 0)
        return false;
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(rules->data);
    *ret_match = (lead_match){.start = places[0], .end = places[1]};
    size_t groups = count == 0 ? LEAD_GROUPS_MAX : (size_t) count;
    for (size_t i = 0; i < groups; i++)
        if (places[2 * i] != PCRE2_UNSET)
            ret_match->group[i] = (ctn_str){text.ptr + places[2 * i], places[2 * i + 1] - places[2 * i]};
    return true;
}

bool lead_find(lead_rules *rules, const char *pattern, ctn_str text, size_t from, lead_match *ret_match)
{
    return find(rules, pattern, PCRE2_MULTILINE, text, from, ret_match);
}

bool lead_find_unicode(lead_rules *rules, const char *pattern, ctn_str text, size_t from, lead_match *ret_match)
{
    return find(rules, pattern, PCRE2_UTF | PCRE2_UCP, text, from, ret_match);
}

bool lead_before(lead_rules *rules, const char *pattern, ctn_str text, size_t at, size_t reach, lead_match *ret_match)
{
    lead_match unused;
    size_t start = at > reach ? at - reach : 0;
    return find(rules, pattern, PCRE2_DOLLAR_ENDONLY, (ctn_str){text.ptr + start, at - start}, 0,
                ret_match ? ret_match : &unused);
}

bool lead_after(lead_rules *rules, const char *pattern, ctn_str text, size_t at, size_t reach)
{
    lead_match unused;
    size_t bytes = text.len - at < reach ? text.len - at : reach;
    return find(rules, pattern, PCRE2_ANCHORED, (ctn_str){text.ptr + at, bytes}, 0, &unused);
}

int lead_number(ctn_str word)
{
    static const struct {
        const char *word;
        int value;
    } words[] = {
        {"a", 1},
        {"an", 1},
        {"one", 1},
        {"two", 2},
        {"three", 3},
        {"four", 4},
        {"five", 5},
        {"six", 6},
        {"seven", 7},
        {"eight", 8},
        {"nine", 9},
        {"ten", 10},
        {"eleven", 11},
        {"twelve", 12},
        {"thirteen", 13},
        {"fourteen", 14},
        {"fifteen", 15},
        {"sixteen", 16},
        {"seventeen", 17},
        {"eighteen", 18},
        {"nineteen", 19},
        {"twenty", 20},
        {"thirty", 30},
        {"forty", 40},
        {"fifty", 50},
        {"sixty", 60},
        {"seventy", 70},
        {"eighty", 80},
        {"ninety", 90},
        /* es */
        {"un", 1},
        {"una", 1},
        {"uno", 1},
        {"dos", 2},
        {"tres", 3},
        {"cuatro", 4},
        {"cinco", 5},
        {"seis", 6},
        {"siete", 7},
        {"ocho", 8},
        {"nueve", 9},
        {"diez", 10},
        {"once", 11},
        {"doce", 12},
        {"quince", 15},
        {"veinte", 20},
        /* fr */
        {"une", 1},
        {"deux", 2},
        {"trois", 3},
        {"quatre", 4},
        {"cinq", 5},
        {"sept", 7},
        {"huit", 8},
        {"neuf", 9},
        {"dix", 10},
        {"onze", 11},
        {"douze", 12},
        {"quinze", 15},
        {"vingt", 20},
        /* de */
        {"ein", 1},
        {"eine", 1},
        {"einen", 1},
        {"einer", 1},
        {"eins", 1},
        {"zwei", 2},
        {"drei", 3},
        {"vier", 4},
        {"funf", 5},
        {"sechs", 6},
        {"sieben", 7},
        {"acht", 8},
        {"neun", 9},
        {"zehn", 10},
        {"elf", 11},
        {"zwolf", 12},
        {"vierzehn", 14},
        {"funfzehn", 15},
        {"zwanzig", 20},
    };
    int64_t number;
    if (word.len <= 9 && ctn_str_to_int64(word, &number) && number >= 0)
        return (int) number;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ctn_str_is(word, words[i].word))
            return words[i].value;
    return -1;
}
