/*
 * pattern.c -- see pattern.h. One pass over the pattern: what is read is written at once, a repeated part is read
 * again for each time, an alternative that was not chosen is read without writing.
 */
#include "simulate/pattern.h"

#include "base/buf.h"

#define TEXT_MAX  512
#define DEPTH_MAX 16
#define TIMES_MAX 3 /* more than the least, where a pattern sets no limit */

typedef struct making {
    ctn_str pattern;
    const ctn_rng *chance;
    ctn_buf out;
    bool is_beyond;
} making;

static size_t roll(const making *m, size_t below)
{
    return below < 2 ? 0 : (size_t) (ctn_rng_next(m->chance) % below);
}

static char at(const making *m, size_t i)
{
    return i < m->pattern.len ? m->pattern.ptr[i] : 0;
}

static void put(making *m, char c, bool writes)
{
    if (writes)
        ctn_buf_append_char(&m->out, c);
}

/* One of a class's letters by its escape; 0: not such an escape. */
static char letter_of_escape(making *m, char c)
{
    switch (c) {
    case 'd': return (char) ('0' + roll(m, 10));
    case 'w': return (char) ('a' + roll(m, 26));
    case 's': return ' ';
    case 'D':
    case 'S': return 'x';
    case 'W': return '-';
    case 't': return '\t';
    case 'n': return '\n';
    default: return 0;
    }
}

static bool is_punctuation(char c)
{
    return c > ' ' && c < 127 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z');
}

/* i behind the '['; returns the place behind the ']'. */
static size_t make_class(making *m, size_t i, bool writes)
{
    struct {
        char low, high;
    } ranges[32];
    size_t count = 0;
    bool is_negated = at(m, i) == '^';
    i += is_negated;
    for (bool is_first = true; at(m, i) && (at(m, i) != ']' || is_first); is_first = false) {
        char low = at(m, i++), high;
        if (low == '[' && at(m, i) == ':') {
            m->is_beyond = true;
            return m->pattern.len;
        }
        if (low == '\\') {
            char escaped = at(m, i++), letter = letter_of_escape(m, escaped);
            low = letter ? letter : escaped;
        }
        high = low;
        if (at(m, i) == '-' && at(m, i + 1) && at(m, i + 1) != ']') {
            high = at(m, i + 1);
            i += 2;
        }
        if (count < sizeof ranges / sizeof *ranges) {
            ranges[count].low = low;
            ranges[count++].high = high;
        }
    }
    if (at(m, i) != ']' || count == 0) {
        m->is_beyond = true;
        return m->pattern.len;
    }
    char letter = 0;
    if (!is_negated) {
        size_t k = roll(m, count);
        letter = (char) (ranges[k].low + (char) roll(m, (size_t) (ranges[k].high - ranges[k].low) + 1));
    }
    for (char c = 'a'; is_negated && c <= 'z' && !letter; c++) {
        bool is_in = false;
        for (size_t k = 0; k < count; k++)
            is_in = is_in || (c >= ranges[k].low && c <= ranges[k].high);
        letter = is_in ? 0 : c;
    }
    put(m, letter ? letter : '_', writes);
    return i + 1;
}

static size_t make_alternatives(making *m, size_t i, bool writes, unsigned depth);

/* One atom at i; returns the place behind it. */
static size_t make_atom(making *m, size_t i, bool writes, unsigned depth)
{
    char c = at(m, i);
    if (c == '[')
        return make_class(m, i + 1, writes);
    if (c == '(') {
        i++;
        if (at(m, i) == '?') {
            if (at(m, i + 1) != ':') {
                m->is_beyond = true;
                return m->pattern.len;
            }
            i += 2;
        }
        i = make_alternatives(m, i, writes, depth + 1);
        m->is_beyond = m->is_beyond || at(m, i) != ')';
        return i + 1;
    }
    if (c == '\\') {
        char escaped = at(m, i + 1), letter = letter_of_escape(m, escaped);
        m->is_beyond = m->is_beyond || (!letter && !is_punctuation(escaped));
        put(m, letter ? letter : escaped, writes);
        return i + 2;
    }
    if (c == '^' || c == '$')
        return i + 1;
    put(m, c == '.' ? 'x' : c, writes);
    return i + 1;
}

/* What stands behind an atom: how often it comes. Returns the place behind it. */
static size_t read_times(making *m, size_t i, size_t *ret_low, size_t *ret_high)
{
    *ret_low = *ret_high = 1;
    char c = at(m, i);
    if (c == '?' || c == '*' || c == '+') {
        *ret_low = c == '+';
        *ret_high = c == '?' ? 1 : *ret_low + TIMES_MAX;
        i++;
    } else if (c == '{' && at(m, i + 1) >= '0' && at(m, i + 1) <= '9') {
        size_t low = 0, high = 0;
        for (i++; at(m, i) >= '0' && at(m, i) <= '9'; i++)
            low = low * 10 + (size_t) (at(m, i) - '0');
        high = low;
        if (at(m, i) == ',') {
            high = 0;
            for (i++; at(m, i) >= '0' && at(m, i) <= '9'; i++)
                high = high * 10 + (size_t) (at(m, i) - '0');
            high = high ? high : low + TIMES_MAX;
        }
        m->is_beyond = m->is_beyond || at(m, i) != '}' || low > TEXT_MAX || high < low;
        *ret_low = low;
        *ret_high = high > low + TIMES_MAX ? low + TIMES_MAX : high;
        i++;
    }
    return at(m, i) == '?' && i > 0 && at(m, i - 1) != '(' ? i + 1 : i; /* a lazy one is as good */
}

static size_t make_sequence(making *m, size_t i, bool writes, unsigned depth)
{
    while (at(m, i) && at(m, i) != '|' && at(m, i) != ')' && !m->is_beyond && !m->out.overflowed) {
        size_t start = i, low, high;
        size_t end = make_atom(m, start, false, depth);
        i = read_times(m, end, &low, &high);
        size_t times = low + roll(m, high - low + 1);
        for (size_t k = 0; writes && k < times && !m->is_beyond && !m->out.overflowed; k++)
            (void) make_atom(m, start, true, depth);
    }
    return i;
}

/* Up to the ')' or the end. */
static size_t make_alternatives(making *m, size_t i, bool writes, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        m->is_beyond = true;
        return m->pattern.len;
    }
    size_t count = 1, start = i, end = make_sequence(m, i, false, depth);
    while (at(m, end) == '|' && !m->is_beyond) {
        count++;
        end = make_sequence(m, end + 1, false, depth);
    }
    size_t chosen = roll(m, count);
    for (size_t k = 0; writes && !m->is_beyond && k <= chosen; k++)
        start = make_sequence(m, start, k == chosen, depth) + 1;
    return end;
}

bool ctn_pattern_make(ctn_str pattern, const ctn_rng *chance, ctn_arena *arena, ctn_str *ret_text)
{
    making m = {.pattern = pattern, .chance = chance};
    ctn_buf_init(&m.out, TEXT_MAX);
    size_t end = make_alternatives(&m, 0, true, 0);
    bool is_made = !m.is_beyond && !m.out.overflowed && end == pattern.len;
    if (is_made)
        *ret_text = ctn_arena_str(arena, ctn_buf_str(&m.out));
    ctn_buf_done(&m.out);
    return is_made;
}
