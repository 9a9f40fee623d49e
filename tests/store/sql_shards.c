/*
 * sql_shards.c -- see sql_shards.h: words, and the (sub-)statements that they stand in.
 */
#include "sql_shards.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const SHARDED[] = {"chain_executions", "execution_journal", "requests",     "execution_keys",
                                      "data_keys",        "quarantine",        "result_cache", "pruning"};

/* What is not a step of an execution: a piece of the statement, and why it may ask all shards. */
static const struct {
    const char *piece, *why;
} EXCUSES[] = {
    {"FROM chain_executions e WHERE true", "a list for people, newest first"},
    {"FROM chain_executions WHERE execution_id BETWEEN", "the beginning of an id, for people"},
    {"FROM data_keys WHERE exec_no > $1 AND master_id <> $2", "keys that are wrapped anew, by hand"},
    {"FROM quarantine ORDER BY exec_no", "a list for people"},
    {"UPDATE numbers SET next", "a process alone has taken all shards"},
    {"SELECT greatest(exec_no_floor", "the last number, for people and for a process alone"},
    {"SELECT greatest(position_floor", "the end of the tail, for streams of events"},
    {"AND (finished_at_ms, exec_no) > ($1, $2)", "retention finds what has ended; it deletes shard by shard"},
    {"FROM pruning ORDER BY shard, exec_no", "retention goes on where it was interrupted"},
    {"UPDATE meta SET exec_no_floor", "retention notes the highest numbers that went"},
    {"FROM result_cache WHERE expires_at_ms < $1", "retention of results"},
    {"SELECT shard, exec_no FROM chain_executions WHERE (shard, exec_no) >", "store verify"},
    {"FROM chain_executions WHERE shard <> exec_no", "store verify"},
    {"FROM chain_executions WHERE phase <> CASE status", "store verify"},
    {"FROM execution_journal j WHERE NOT EXISTS", "store verify"},
    {"SELECT e.exec_no, e.execution_id, e.queue_held, e.queue_key IS NOT NULL AND EXISTS", "store verify"},
    {"FROM data_keys k WHERE exec_no <> 0", "store verify"},
    {"SELECT EXISTS (SELECT 1 FROM chain_executions)", "is a store that shall be copied to empty?"},
    {"FROM result_cache WHERE (shard, key) >", "a whole store is copied"},
};

enum { WORDS_MAX = 4000, WORD_BYTES = 64, REFS_MAX = 32, DEPTH_MAX = 64, STATEMENTS_MAX = 4000 };

/* ---- words ---- */

typedef struct words {
    char text[WORDS_MAX][WORD_BYTES]; /* lower case; "x.y" is one word; a text in quotes is ' */
    size_t count;
} words;

static bool is_name(char c)
{
    return isalnum((unsigned char) c) || c == '_' || c == '$' || c == '.' || c == '"';
}

static void split(const char *sql, words *ret)
{
    ret->count = 0;
    for (const char *p = sql; *p && ret->count < WORDS_MAX - 1;) {
        char *word = ret->text[ret->count];
        size_t len = 0;
        if (isspace((unsigned char) *p)) {
            p++;
            continue;
        }
        if (*p == '\'') {
            for (p++; *p && *p != '\''; p++) {
            }
            p += *p == '\'';
            word[len++] = '\'';
        } else if (is_name(*p)) {
            for (; is_name(*p); p++)
                if (len < WORD_BYTES - 1 && *p != '"')
                    word[len++] = (char) tolower((unsigned char) *p);
        } else {
            word[len++] = *p++;
        }
        word[len] = '\0';
        ret->count++;
    }
    ret->text[ret->count][0] = '\0';
}

static bool is(const words *w, size_t at, const char *text)
{
    return at < w->count && strcmp(w->text[at], text) == 0;
}

static bool is_one_of(const words *w, size_t at, const char *list) /* "|a|b|" */
{
    char wanted[WORD_BYTES + 2];
    snprintf(wanted, sizeof wanted, "|%s|", at < w->count ? w->text[at] : "");
    return strstr(list, wanted) != NULL;
}

static const char *sharded(const char *word)
{
    const char *dot = strchr(word, '.'); /* of a schema */
    for (size_t i = 0; i < sizeof SHARDED / sizeof *SHARDED; i++)
        if (strcmp(dot ? dot + 1 : word, SHARDED[i]) == 0)
            return SHARDED[i];
    return NULL;
}

/* ---- statements within a statement ---- */

typedef struct scope {
    struct ref {
        const char *table;
        char alias[WORD_BYTES];
        bool has_shard;
    } refs[REFS_MAX];
    size_t ref_count;
    bool has_bare_shard; /* `shard = ...` without a table's name */
} scope;

static bool fault(const scope *s, char *ret_text, size_t size)
{
    for (size_t i = 0; i < s->ref_count; i++) {
        const struct ref *r = &s->refs[i];
        if (r->has_shard || (s->ref_count == 1 && s->has_bare_shard))
            continue;
        snprintf(ret_text, size, "%s %s is asked for without its shard", r->table, r->alias);
        return true;
    }
    return false;
}

static void note_shard(scope *s, const char *word)
{
    const char *dot = strchr(word, '.');
    if (!dot) {
        s->has_bare_shard = true;
        return;
    }
    for (size_t i = 0; i < s->ref_count; i++)
        if (strlen(s->refs[i].alias) == (size_t) (dot - word) &&
            strncmp(s->refs[i].alias, word, (size_t) (dot - word)) == 0)
            s->refs[i].has_shard = true;
}

static const char NO_ALIAS[] = "|where|on|join|set|order|group|limit|left|cross|inner|using|returning|union|for|values|"
                               "select|)|(|,|;|tablesample|";

/* FROM t [AS] a, JOIN t a, UPDATE t a, USING t a; after a comma in FROM too. */
static void note_table(scope *s, const words *w, size_t at)
{
    const char *table = sharded(w->text[at]);
    if (!table || s->ref_count == REFS_MAX)
        return;
    struct ref *r = &s->refs[s->ref_count++];
    size_t alias = at + 1 + is(w, at + 1, "as");
    *r = (struct ref){.table = table};
    bool has_alias = alias < w->count && !is_one_of(w, alias, NO_ALIAS);
    snprintf(r->alias, sizeof r->alias, "%s", has_alias ? w->text[alias] : table);
}

/* INSERT INTO t(shard, ...): its rows have one. */
static bool inserts_without(const words *w, size_t at, char *ret_text, size_t size)
{
    if (!is(w, at, "into") || !sharded(w->text[at + 1]) || is(w, at + 2, "select") ||
        (is(w, at + 2, "(") && is(w, at + 3, "shard")))
        return false;
    snprintf(ret_text, size, "%s gets rows without a shard in front", w->text[at + 1]);
    return true;
}

/* Names are resolved when a statement's words are over: its shards may stand before its tables (SELECT ... FROM). */
static bool judge(const words *w, size_t begin, size_t end, char *ret_text, size_t size)
{
    scope s = {0};
    size_t depth = 0, inner = 0;
    bool is_inner[DEPTH_MAX] = {false};
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = begin; i < end; i++) {
            if (is(w, i, "(")) {
                if (depth + 1 < DEPTH_MAX) {
                    is_inner[++depth] = is_one_of(w, i + 1, "|select|with|insert|update|delete|");
                    inner += is_inner[depth];
                }
            } else if (is(w, i, ")") && depth > 0) {
                inner -= is_inner[depth--];
            } else if (inner == 0 && pass == 0) {
                if (is_one_of(w, i, "|from|join|update|using|") && !is(w, i + 1, "set"))
                    note_table(&s, w, i + 1);
            } else if (inner == 0) {
                const char *dot = strrchr(w->text[i], '.');
                const char *column = dot ? dot + 1 : w->text[i];
                bool is_compared = is(w, i + 1, "=") || is(w, i + 1, "in") || (i > begin && is(w, i - 1, "="));
                if (strcmp(column, "shard") == 0 && is_compared)
                    note_shard(&s, w->text[i]);
            }
        }
    return fault(&s, ret_text, size);
}

/* Each SELECT of a UNION is a statement of its own. */
static bool judge_unions(const words *w, size_t begin, size_t end, char *ret_text, size_t size)
{
    size_t depth = 0, from = begin;
    for (size_t i = begin; i < end; i++) {
        depth += is(w, i, "(");
        depth -= is(w, i, ")") && depth > 0;
        if (depth == 0 && is_one_of(w, i, "|union|except|intersect|")) {
            if (judge(w, from, i, ret_text, size))
                return true;
            from = i + 1;
        }
    }
    return judge(w, from, end, ret_text, size);
}

const char *sql_shards_fault(const char *sql, char *ret_text, size_t size)
{
    words *w = calloc(1, sizeof *w);
    bool is_wrong = false;
    split(sql, w);
    for (size_t i = 0; !is_wrong && i < w->count; i++) { /* statements in parentheses, each by itself */
        is_wrong = inserts_without(w, i, ret_text, size);
        if (!is(w, i, "(") || !is_one_of(w, i + 1, "|select|with|insert|update|delete|"))
            continue;
        size_t depth = 1, end = i + 1;
        for (; end < w->count && depth > 0; end++) {
            depth += is(w, end, "(");
            depth -= is(w, end, ")");
        }
        is_wrong = is_wrong || judge_unions(w, i + 1, end - 1, ret_text, size);
    }
    is_wrong = is_wrong || judge_unions(w, 0, w->count, ret_text, size);
    free(w);
    return is_wrong ? ret_text : NULL;
}

const char *sql_shards_excuse(const char *sql)
{
    for (size_t i = 0; i < sizeof EXCUSES / sizeof *EXCUSES; i++)
        if (strstr(sql, EXCUSES[i].piece))
            return EXCUSES[i].why;
    return NULL;
}

/* ---- a server's log ---- */

typedef struct seen {
    char *statements[STATEMENTS_MAX];
    size_t count;
} seen;

static bool is_new(seen *s, const char *sql)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->statements[i], sql) == 0)
            return false;
    if (s->count < STATEMENTS_MAX)
        s->statements[s->count++] = strdup(sql);
    return true;
}

/* Behind "LOG:  statement: " or "LOG:  execute c12: ". */
static const char *statement_of(const char *line)
{
    const char *at = strstr(line, "LOG:  statement: ");
    if (at)
        return at + strlen("LOG:  statement: ");
    at = strstr(line, "LOG:  execute ");
    const char *colon = at ? strstr(at + strlen("LOG:  execute "), ": ") : NULL;
    return colon ? colon + 2 : NULL;
}

static bool changes_schema(const char *sql)
{
    return strncasecmp(sql, "CREATE", 6) == 0 || strncasecmp(sql, "ALTER", 5) == 0 || strncasecmp(sql, "DROP", 4) == 0;
}

int sql_shards_check(const pg_server *server, size_t at_least)
{
    char path[200];
    size_t statements = 0;
    snprintf(path, sizeof path, "%s/log", pg_server_folder(server));
    size_t faults = sql_shards_read_log(path, &statements);
    printf("%zu statements were read, %zu leave their shard\n", statements, faults);
    return statements < at_least || faults > 0;
}

size_t sql_shards_read_log(const char *path, size_t *ret_statements)
{
    seen *s = calloc(1, sizeof *s);
    FILE *file = fopen(path, "re");
    char *line = NULL, text[200];
    size_t capacity = 0, faults = 0;
    while (file && getline(&line, &capacity, file) >= 0) {
        const char *sql = statement_of(line);
        if (!sql || changes_schema(sql) || !is_new(s, sql) || !sql_shards_fault(sql, text, sizeof text) ||
            sql_shards_excuse(sql))
            continue;
        printf("%s: %s", text, sql);
        faults++;
    }
    *ret_statements = s->count;
    for (size_t i = 0; i < s->count; i++)
        free(s->statements[i]);
    free(s);
    free(line);
    if (file)
        fclose(file);
    return faults;
}
