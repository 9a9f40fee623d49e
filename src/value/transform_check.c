/*
 * transform_check.c -- the tokens of jq 1.6, and the words among them that are refused.
 *
 * What must hold: no refused word that jq would take for a call gets past. Where this tokenizer and jq's lexer could
 * part ways (a stray byte, a bracket that closes nothing) the program is no jq, so it never runs; so this one goes on
 * at the next byte. Strings are the one place where a mistake would matter: jq's lexer takes a backslash with the
 * byte behind it, whatever that is, except \( which opens an expression; so does this.
 *
 * A word is a key, and not a call, when it is the first thing of a member of an object: behind { or a comma with {
 * as the innermost open bracket (if and end are a pair of those). {now} is short for {now: .now}. A value of an object
 * without brackets of its own holds no comma, so a comma there begins the next member.
 */
#include "value/transform_check.h"

#define DEPTH_MAX 200

typedef struct refused_word {
    const char *word;
    const char *why;
} refused_word;

#define WHY_TIME "its result must not depend on when or where it runs; pass a time in as an argument"
#define WHY_ENV  "it sees no environment; pass the value in as an argument"
#define WHY_IN   "the arguments are its only input: they are '.'"
#define WHY_OUT  "it has one result and nothing to write to; leave it out"
#define WHY_FILE "it reads no files and has no modules; put the definitions into the program"
#define WHY_HALT "it ends with its result; use error(\"...\") to fail"

static const refused_word WORDS[] = {
    {"now", WHY_TIME},
    {"localtime", WHY_TIME},
    {"strflocaltime", WHY_TIME},
    {"env", WHY_ENV},
    {"input", WHY_IN},
    {"inputs", WHY_IN},
    {"input_filename", WHY_IN},
    {"input_line_number", WHY_IN},
    {"debug", WHY_OUT},
    {"stderr", WHY_OUT},
    {"halt", WHY_HALT},
    {"halt_error", WHY_HALT},
    {"import", WHY_FILE},
    {"include", WHY_FILE},
    {"modulemeta", WHY_FILE},
    {"get_search_list", WHY_FILE},
    {"get_prog_origin", WHY_FILE},
    {"get_jq_origin", WHY_FILE},
};
static const refused_word VARIABLES[] = {
    {"ENV", WHY_ENV},
    {"ARGS", WHY_IN},
    {"__prog_args", WHY_IN},
};

typedef enum context { IN_PAREN, IN_BRACKET, IN_BRACE, IN_IF, IN_STRING } context;

typedef struct tokenizer {
    ctn_str text;
    size_t at;
    context stack[DEPTH_MAX];
    size_t depth;
    bool is_key;    /* with IN_BRACE innermost: the next thing begins a member */
    bool is_dollar; /* the last token was $ */
} tokenizer;

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word_char(char c)
{
    return is_word_start(c) || (c >= '0' && c <= '9');
}

static char peek(const tokenizer *t, size_t ahead)
{
    return t->at + ahead < t->text.len ? t->text.ptr[t->at + ahead] : '\0';
}

static int fail_at(size_t at, ctn_err *err, int code, const char *what)
{
    return ctn_fail_at(err, code, 1, (uint32_t) (at + 1), "%s", what);
}

static int push(tokenizer *t, context opened, ctn_err *err)
{
    if (t->depth == DEPTH_MAX)
        return fail_at(t->at, err, CTN_E_LIMIT, "brackets and strings are nested deeper than 200 here");
    t->stack[t->depth++] = opened;
    return CTN_OK;
}

static int refuse(const refused_word *words, size_t count, ctn_str word, const char *sigil, size_t at, ctn_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (ctn_str_is(word, words[i].word))
            return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (at + 1), "a transform may not use '%s%s': %s", sigil,
                               words[i].word, words[i].why);
    return CTN_OK;
}

/* A word, with the module's name before it if it has one: a::b. */
static int take_word(tokenizer *t, bool is_key, ctn_err *err)
{
    size_t from = t->at;
    while (is_word_char(peek(t, 0)) || (peek(t, 0) == ':' && peek(t, 1) == ':' && is_word_start(peek(t, 2))))
        t->at += peek(t, 0) == ':' ? 2 : 1;
    ctn_str word = {t->text.ptr + from, t->at - from};
    if (t->is_dollar)
        return refuse(VARIABLES, sizeof VARIABLES / sizeof *VARIABLES, word, "$", from - 1, err);
    if (is_key)
        return CTN_OK;
    if (ctn_str_is(word, "if"))
        return push(t, IN_IF, err);
    if (ctn_str_is(word, "end") && t->depth && t->stack[t->depth - 1] == IN_IF)
        t->depth--;
    return refuse(WORDS, sizeof WORDS / sizeof *WORDS, word, "", from, err);
}

/* From behind the quote, or behind the ) of an expression in it, to the end or to the next such expression. */
static int take_string(tokenizer *t, ctn_err *err)
{
    while (t->at < t->text.len) {
        char c = t->text.ptr[t->at++];
        if (c == '"') {
            t->depth--;
            return CTN_OK;
        }
        if (c != '\\' || t->at == t->text.len)
            continue;
        if (t->text.ptr[t->at++] == '(')
            return push(t, IN_PAREN, err);
    }
    return CTN_OK; /* it has no end: jq says so */
}

static int take_token(tokenizer *t, ctn_err *err)
{
    char c = peek(t, 0);
    bool is_key = t->is_key;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        t->at++;
        return CTN_OK; /* `$ x` is $x */
    }
    if (c == '#') {
        while (t->at < t->text.len && t->text.ptr[t->at] != '\n')
            t->at++;
        return CTN_OK;
    }
    t->is_key = false;
    if (is_word_start(c)) {
        int rc = take_word(t, is_key, err);
        t->is_dollar = false;
        return rc;
    }
    t->is_dollar = c == '$';
    t->at++;
    if (c == '@' || (c == '.' && is_word_start(peek(t, 0)))) {
        while (is_word_char(peek(t, 0)))
            t->at++;
        return CTN_OK;
    }
    switch (c) {
    case '\0': return fail_at(t->at - 1, err, CTN_E_INVALID, "there is a NUL character here");
    case '.':
        if (peek(t, 0) == '.')
            t->at++; /* else the second dot would make a field of `..now` */
        return CTN_OK;
    case '"': return push(t, IN_STRING, err);
    case '(': return push(t, IN_PAREN, err);
    case '[': return push(t, IN_BRACKET, err);
    case '{': t->is_key = true; return push(t, IN_BRACE, err);
    case ',': t->is_key = t->depth && t->stack[t->depth - 1] == IN_BRACE; return CTN_OK;
    case ')':
    case ']':
    case '}':
        if (t->depth)
            t->depth--;
        return CTN_OK;
    default: return CTN_OK;
    }
}

int ctn_transform_check(ctn_str program, ctn_err *err)
{
    if (program.len > CTN_TRANSFORM_BYTES_MAX)
        return fail_at(CTN_TRANSFORM_BYTES_MAX, err, CTN_E_LIMIT, "the program is longer than 64 KiB");
    tokenizer t = {.text = program};
    int rc = CTN_OK;
    while (rc == CTN_OK && t.at < program.len)
        rc = t.depth && t.stack[t.depth - 1] == IN_STRING ? take_string(&t, err) : take_token(&t, err);
    return rc;
}
