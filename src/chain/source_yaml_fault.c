/*
 * source_yaml_fault.c -- libyaml's complaints, said so that the reader knows what to change.
 *
 * libyaml tells what its grammar expected; people want to know what they typed. The table below knows the
 * mistakes that chains really have (tabs, unquoted text that starts with a brace or holds ": ", a quote or
 * bracket that was never closed) and leaves the rest in libyaml's own words.
 */
#include "chain/source_yaml.h"
#include <ctype.h>

const char ctn_yaml_tab[] = "found a tab used for indentation; use spaces";
static const char QUOTE_BRACE[] = "; text that starts with '{' or '[' must stand in quotes";

static bool says(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* The line of `at`, from its first byte up to `at` when `up_to`. */
static ctn_str line_around(const ctn_source *s, size_t at, bool up_to)
{
    size_t begin = at, end = at;
    while (begin > 0 && s->text.ptr[begin - 1] != '\n' && s->text.ptr[begin - 1] != '\r')
        begin--;
    while (!up_to && end < s->text.len && s->text.ptr[end] != '\n' && s->text.ptr[end] != '\r')
        end++;
    return (ctn_str){s->text.ptr + begin, end - begin};
}

static bool is_tab_indentation(const ctn_source *s, size_t at)
{
    if (at >= s->text.len || s->text.ptr[at] != '\t')
        return false;
    ctn_str before = line_around(s, at, true);
    for (size_t i = 0; i < before.len; i++)
        if (before.ptr[i] != ' ' && before.ptr[i] != '\t')
            return false;
    return true;
}

/* "key: {name} said": YAML takes the brace for a mapping and trips over what follows. */
static bool has_bare_brace(const ctn_source *s, size_t at)
{
    ctn_str line = line_around(s, at, false);
    for (size_t i = 0; i + 2 < line.len; i++)
        if ((line.ptr[i] == ':' || line.ptr[i] == '-') && line.ptr[i + 1] == ' ' &&
            (line.ptr[i + 2] == '{' || line.ptr[i + 2] == '['))
            return true;
    return false;
}

static ctn_str explain_bad_start(const ctn_source *s, size_t at, ctn_arena *arena)
{
    char c = (char) (at < s->text.len ? s->text.ptr[at] : 0);
    if (c == '\t')
        return ctn_arena_printf(arena, "found a tab where a value should start; use spaces");
    if (isprint((unsigned char) c))
        return ctn_arena_printf(arena, "plain text cannot start with '%c': put it in quotes", c);
    return ctn_arena_printf(arena, "no value can start here");
}

ctn_str ctn_yaml_explain(const ctn_source *s, const yaml_parser_t *parser, size_t at, uint32_t context_line,
                         ctn_arena *arena)
{
    const char *problem = parser->problem ? parser->problem : "it is no YAML";
    const char *context = parser->context;
    const char *brace = has_bare_brace(s, at) ? QUOTE_BRACE : "";
    if (says(problem, "found a tab character") || is_tab_indentation(s, at))
        return ctn_str_from(ctn_yaml_tab);
    if (says(problem, "control characters") || says(problem, "invalid Unicode character"))
        return ctn_arena_printf(arena, "the control character U+%04X is not allowed in YAML",
                                (unsigned) parser->problem_value);
    if (says(problem, "cannot start any token"))
        return explain_bad_start(s, at, arena);
    if (says(problem, "mapping values are not allowed"))
        return ctn_arena_printf(arena,
                                "a ':' cannot start a value here: put text that holds ': ' in quotes, or check "
                                "the indentation%s",
                                brace);
    if (says(problem, "block sequence entries are not allowed"))
        return ctn_arena_printf(arena, "a list cannot start here: put '- ' on a line of its own, indented");
    if (says(problem, "mapping keys are not allowed"))
        return ctn_arena_printf(arena, "a key cannot start here: check the indentation");
    if (says(problem, "could not find expected ':'"))
        return ctn_arena_printf(arena, "expected ':' after the key on line %u%s", context_line, brace);
    if (says(problem, "did not find expected key") && at < s->text.len && s->text.ptr[at] == ':')
        return ctn_str_from("a key is missing before ':'");
    if (says(problem, "did not find expected key"))
        return ctn_arena_printf(arena,
                                "expected another key of the mapping that starts on line %u, at its indentation%s",
                                context_line, brace);
    if (says(problem, "did not find expected '-'"))
        return ctn_arena_printf(arena, "expected another '- ' of the list that starts on line %u, at its indentation%s",
                                context_line, brace);
    if (says(problem, "did not find expected ',' or ']'"))
        return ctn_arena_printf(arena, "expected ',' or ']': the '[' on line %u is not closed", context_line);
    if (says(problem, "did not find expected ',' or '}'"))
        return ctn_arena_printf(arena,
                                "expected ',' or '}': the '{' on line %u is not closed; text with a brace in it "
                                "must stand in quotes",
                                context_line);
    if (says(problem, "unexpected end of stream") || says(problem, "unexpected document indicator"))
        return ctn_arena_printf(arena, "the quoted text that starts on line %u is never closed", context_line);
    if (says(problem, "unknown escape") || says(problem, "expected hexdecimal") || says(problem, "escape code"))
        return ctn_arena_printf(arena, "double quotes know no such escape: write \\\\ for a backslash, or use single "
                                       "quotes");
    if (says(problem, "expected alphabetic or numeric") && (says(context, "alias") || says(context, "anchor")))
        return ctn_arena_printf(arena, "plain text cannot start with '*' or '&': put it in quotes");
    if (says(problem, "<document start>"))
        return ctn_arena_printf(arena, "something stands behind the end of the value: check the indentation%s", brace);
    if (says(problem, "undefined tag handle"))
        return ctn_arena_printf(arena, "custom tags are not taken: put text that starts with '!' in quotes");
    if (says(problem, "expected node content"))
        return ctn_arena_printf(arena, "expected a value here%s", brace);
    return context ? ctn_arena_printf(arena, "%s %s", problem, context) : ctn_arena_printf(arena, "%s", problem);
}
