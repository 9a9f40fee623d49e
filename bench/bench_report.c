/*
 * bench_report -- makes JSON and Markdown of the figures of a run.
 *
 *     bench_report FILE.json FILE.md <figures
 *
 * A line of figures is `path/of/key value`, the value a number or a text in quotes. The path becomes nested objects. A
 * path that comes several times (--repeat) becomes the median; its least and its greatest value stand under
 * "spread", by path. In Markdown each object under the root (under "peers" each object of that) is a table: what holds
 * values is a row, in the order of the lines.
 */
#include "base/json.h"
#include "base/memory.h"
#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct figure {
    ctn_str path;
    ctn_str text;          /* the value as it was written */
    bench_samples numbers; /* more than one: repeated */
} figure;

typedef struct figures {
    ctn_arena *arena;
    figure *list;
    size_t count;
} figures;

/* ---- in ---- */

static figure *figure_of(figures *f, ctn_str path)
{
    for (size_t i = 0; i < f->count; i++)
        if (ctn_str_equal(f->list[i].path, path))
            return &f->list[i];
    f->list = ctn_realloc_array(f->list, f->count + 1, sizeof *f->list);
    f->list[f->count] = (figure){.path = ctn_arena_str(f->arena, path)};
    return &f->list[f->count++];
}

static void read_line(figures *f, ctn_str line)
{
    ctn_str path = ctn_str_cut(&line, ' ');
    ctn_str value = ctn_str_trim(line);
    if (path.len == 0 || value.len == 0)
        return;
    figure *of = figure_of(f, path);
    of->text = ctn_arena_str(f->arena, value);
    if (ctn_json_is_number_text(value))
        bench_samples_add(&of->numbers, strtod(of->text.ptr, NULL));
}

static const ctn_json *value_of(figures *f, figure *of)
{
    const ctn_json *parsed = NULL;
    char text[64];
    if (of->numbers.count > 1) {
        snprintf(text, sizeof text, "%.6g", bench_samples_at(&of->numbers, 0.5));
        return ctn_json_number(f->arena, ctn_str_from(text));
    }
    if (ctn_json_parse(f->arena, of->text, NULL, &parsed, NULL) == CTN_OK)
        return parsed;
    return ctn_json_string(f->arena, of->text);
}

/* ---- as a tree ---- */

static bool is_below(ctn_str path, ctn_str prefix)
{
    return prefix.len == 0 ||
           (path.len > prefix.len && memcmp(path.ptr, prefix.ptr, prefix.len) == 0 && path.ptr[prefix.len] == '/');
}

static const ctn_json *tree_of(figures *f, ctn_str prefix)
{
    ctn_json_builder object = ctn_json_object(f->arena);
    const ctn_json *so_far = NULL;
    for (size_t i = 0; i < f->count; i++) {
        ctn_str path = f->list[i].path;
        if (!is_below(path, prefix))
            continue;
        size_t skip = prefix.len ? prefix.len + 1 : 0;
        ctn_str rest = {path.ptr + skip, path.len - skip};
        ctn_str key = ctn_str_cut(&rest, '/');
        so_far = ctn_json_finish(&object);
        if (ctn_json_get(so_far, key))
            continue;
        bool is_leaf = skip + key.len == path.len;
        ctn_json_put(&object, key,
                     is_leaf ? value_of(f, &f->list[i]) : tree_of(f, (ctn_str){path.ptr, skip + key.len}));
    }
    return ctn_json_finish(&object);
}

static const ctn_json *spread_of(figures *f)
{
    ctn_json_builder object = ctn_json_object(f->arena);
    for (size_t i = 0; i < f->count; i++) {
        bench_samples *numbers = &f->list[i].numbers;
        double least = bench_samples_at(numbers, 0), greatest = bench_samples_at(numbers, 1);
        if (numbers->count < 2 || least == greatest)
            continue;
        ctn_json_builder pair = ctn_json_array(f->arena);
        char text[2][64];
        snprintf(text[0], sizeof text[0], "%.6g", least);
        snprintf(text[1], sizeof text[1], "%.6g", greatest);
        ctn_json_push(&pair, ctn_json_number(f->arena, ctn_str_from(text[0])));
        ctn_json_push(&pair, ctn_json_number(f->arena, ctn_str_from(text[1])));
        ctn_json_put(&object, f->list[i].path, ctn_json_finish(&pair));
    }
    return ctn_json_finish(&object);
}

/* ---- as Markdown ---- */

typedef struct table {
    ctn_arena *arena;
    ctn_str columns[64];
    size_t column_count;
    ctn_str names[256];
    const ctn_json *rows[256];
    size_t row_count;
} table;

static void collect(table *t, ctn_str name, const ctn_json *object)
{
    bool has_values = false;
    for (size_t i = 0; i < ctn_json_count(object); i++) {
        const ctn_json_member *m = &object->members[i];
        if (ctn_json_is(&m->value, CTN_JSON_OBJECT))
            continue;
        has_values = true;
        size_t c = 0;
        while (c < t->column_count && !ctn_str_equal(t->columns[c], ctn_json_text(&m->key)))
            c++;
        if (c == t->column_count && c < 64)
            t->columns[t->column_count++] = ctn_json_text(&m->key);
    }
    if (has_values && t->row_count < 256) {
        t->names[t->row_count] = name;
        t->rows[t->row_count++] = object;
    }
    for (size_t i = 0; i < ctn_json_count(object); i++) {
        const ctn_json_member *m = &object->members[i];
        if (ctn_json_is(&m->value, CTN_JSON_OBJECT))
            collect(t,
                    ctn_str_from(ctn_arena_printf(t->arena, "%.*s%s%.*s", CTN_STR_ARG(name), name.len ? " " : "",
                                                  CTN_STR_ARG(ctn_json_text(&m->key)))
                                     .ptr),
                    &m->value);
    }
}

/* Fewer digits than JSON has: what is behind them is noise. */
static void write_cell(FILE *out, const ctn_json *value)
{
    if (ctn_json_is(value, CTN_JSON_NUMBER)) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(ctn_json_text(value)));
        double number = strtod(text, NULL);
        fprintf(out, number >= 1000 || number <= -1000 ? " %.0f |" : " %.4g |", number);
    } else {
        fprintf(out, " %.*s |", CTN_STR_ARG(ctn_json_text(value)));
    }
}

static void write_table(FILE *out, ctn_arena *arena, ctn_str title, const ctn_json *object)
{
    table t = {.arena = arena};
    collect(&t, (ctn_str){0}, object);
    fprintf(out, "\n## %.*s\n\n", CTN_STR_ARG(title));
    if (t.row_count == 1 && t.names[0].len == 0) { /* alone: a line for each value */
        fprintf(out, "| | |\n| --- | ---: |\n");
        for (size_t c = 0; c < t.column_count; c++) {
            fprintf(out, "| %.*s |", CTN_STR_ARG(t.columns[c]));
            write_cell(out, ctn_json_get(t.rows[0], t.columns[c]));
            fprintf(out, "\n");
        }
        return;
    }
    fprintf(out, "| |");
    for (size_t c = 0; c < t.column_count; c++)
        fprintf(out, " %.*s |", CTN_STR_ARG(t.columns[c]));
    fprintf(out, "\n| --- |");
    for (size_t c = 0; c < t.column_count; c++)
        fprintf(out, " ---: |");
    for (size_t r = 0; r < t.row_count; r++) {
        fprintf(out, "\n| %.*s |", CTN_STR_ARG(t.names[r]));
        for (size_t c = 0; c < t.column_count; c++)
            write_cell(out, ctn_json_get(t.rows[r], t.columns[c]));
    }
    fprintf(out, "\n");
}

static void write_markdown(FILE *out, ctn_arena *arena, const ctn_json *tree)
{
    fprintf(out, "# Catena, measured\n");
    for (size_t i = 0; i < ctn_json_count(tree); i++) {
        const ctn_json_member *m = &tree->members[i];
        ctn_str key = ctn_json_text(&m->key);
        if (ctn_str_is(key, "spread"))
            continue;
        if (!ctn_str_is(key, "peers")) {
            write_table(out, arena, key, &m->value);
            continue;
        }
        for (size_t k = 0; k < ctn_json_count(&m->value); k++) {
            const ctn_json_member *workload = &m->value.members[k];
            const char *title =
                ctn_arena_printf(arena, "side by side: %.*s", CTN_STR_ARG(ctn_json_text(&workload->key))).ptr;
            write_table(out, arena, ctn_str_from(title), &workload->value);
        }
    }
}

/* ---- out ---- */

static FILE *open_for_writing(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        bench_die(path, strerror(errno));
    return file;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench_report FILE.json FILE.md <figures\n");
        return 2;
    }
    figures f = {.arena = ctn_arena_new(65536)};
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0)
        read_line(&f, ctn_str_trim(ctn_str_from(line)));
    free(line);

    const ctn_json *tree = tree_of(&f, (ctn_str){0}), *spread = spread_of(&f);
    ctn_json_builder all = ctn_json_object(f.arena);
    for (size_t i = 0; i < ctn_json_count(tree); i++)
        ctn_json_put(&all, ctn_json_text(&tree->members[i].key), &tree->members[i].value);
    if (ctn_json_count(spread))
        ctn_json_put(&all, CTN_STR("spread"), spread);
    tree = ctn_json_finish(&all);

    ctn_buf text;
    ctn_buf_init(&text, (size_t) 16 << 20);
    ctn_json_write_pretty(&text, tree);
    FILE *json = open_for_writing(argv[1]), *markdown = open_for_writing(argv[2]);
    fprintf(json, "%.*s\n", (int) text.len, text.data);
    write_markdown(markdown, f.arena, tree);
    if (fclose(json) != 0 || fclose(markdown) != 0)
        bench_die("writing the report", strerror(errno));
    ctn_buf_done(&text);
    for (size_t i = 0; i < f.count; i++)
        bench_samples_free(&f.list[i].numbers);
    free(f.list);
    ctn_arena_free(f.arena);
    return 0;
}
