/*
 * main.c -- catena-travel: the travel pack's tools as an MCP server on standard input and output, and a way for people
 * to call one by hand.
 *
 * Exit codes: 0 done; 1 the tool failed; 2 the command line does not say what it must.
 */
#include "tools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

static const size_t LINE_BYTES_MAX = (size_t) 8 * 1024 * 1024;

static const char HELP[] =
    "catena-travel -- the travel pack's tools (sandbox inventory, client records)\n"
    "\n"
    "  catena-travel serve            speak MCP on standard input and output\n"
    "  catena-travel call TOOL JSON   call one tool and print its result; JSON \"-\" reads standard input\n"
    "  catena-travel tools            list the tools\n"
    "  catena-travel sources          say whose data the places, airports and airlines are\n"
    "  catena-travel help | version\n"
    "\n"
    "The environment variable CRM names the SQLite file with the client records; it is made at first use.\n"
    "AGENCY names agency.yaml: the agency's name, prices, rules and providers; without it there are defaults.\n"
    "Flights and hotels are sandbox inventory: real airports and distances, invented flights, houses and prices.\n";

/* The attribution that the licences want; docs/data.md has the same. */
static const char SOURCES[] =
    "Places, airports and airlines are made from data of GeoNames (geonames.org, CC BY 4.0), OpenTravelData\n"
    "(opentraveldata.github.io, CC BY 4.0), OurAirports (public domain), OpenFlights (openflights.org, ODbL 1.0),\n"
    "Unicode CLDR (Copyright 1991-2026 Unicode, Inc.), WordNet 3.0 (Copyright 2006 by Princeton University),\n"
    "Stopwords ISO (MIT) and Ward's name lists (public domain), selected, merged and shortened.\n"
    "docs/data.md says what is taken from each; places_data.licences.txt beside it has the licences.\n";

static int say_usage(const char *sentence, const char *word)
{
    fprintf(stderr, "catena-travel: ");
    fprintf(stderr, "%s%s%s\n", sentence, word ? " " : "", word ? word : "");
    fprintf(stderr, "Try: catena-travel help\n");
    return EXIT_USAGE;
}

/* false: the agency's file is not as it must be, which was said. */
static bool make_tools(travel_tools *ret_tools)
{
    ctn_err err = {0};
    travel_agency *agency;
    int rc = travel_agency_open(getenv("AGENCY"), &agency, &err);
    if (!rc && (rc = travel_tools_check(agency, &err)) != CTN_OK)
        travel_agency_close(agency);
    if (rc) {
        fprintf(stderr, "catena-travel: %s\n", err.message);
        return false;
    }
    *ret_tools = (travel_tools){.crm_path = getenv("CRM"), .agency = agency, .clock = ctn_clock_system()};
    return true;
}

/* ---- serve ---- */

/* Reads one line of at most LINE_BYTES_MAX; a longer one is read to its end and told as too long. */
static bool read_line(FILE *in, ctn_buf *line, bool *ret_is_too_long)
{
    char chunk[65536];
    ctn_buf_clear(line);
    *ret_is_too_long = false;
    while (fgets(chunk, sizeof chunk, in)) {
        size_t len = strlen(chunk); /* NUL inside a line ends that piece: JSON has none */
        bool is_end = len > 0 && chunk[len - 1] == '\n';
        ctn_buf_append(line, (ctn_str){chunk, len});
        if (is_end) {
            *ret_is_too_long = line->overflowed;
            return true;
        }
    }
    *ret_is_too_long = line->overflowed;
    return line->len > 0;
}

static int serve(void)
{
    int status = EXIT_FAILURE;
    travel_tools tools;
    if (!make_tools(&tools))
        return EXIT_USAGE;
    ctn_err err = {0};
    ctn_mcp_server *server = NULL;
    ctn_buf line, out;
    bool is_too_long;
    ctn_arena *arena = ctn_arena_new(16384);
    size_t tool_count;
    const ctn_mcp_server_tool *list = travel_tools_list(arena, &tool_count);
    ctn_mcp_server_options options = {
        .name = "catena-travel",
        .version = CATENA_VERSION,
        .instructions =
            "Travel tools over a sandbox inventory: real airports and distances, invented flights, hotels and prices.",
        .tools = list,
        .tool_count = tool_count,
        .call = travel_tools_call,
        .ctx = &tools,
    };
    ctn_buf_init(&line, LINE_BYTES_MAX);
    ctn_buf_init(&out, LINE_BYTES_MAX);
    if (ctn_mcp_server_new(&options, &server, &err)) {
        fprintf(stderr, "catena-travel: %s\n", err.message);
        goto done;
    }
    while (read_line(stdin, &line, &is_too_long)) {
        if (is_too_long) {
            fprintf(stderr, "catena-travel: a message of more than %zu bytes was dropped\n", LINE_BYTES_MAX);
            continue;
        }
        ctn_mcp_server_line(server, ctn_str_trim(ctn_buf_str(&line)), &out);
        if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
            goto done; /* nobody reads any more */
        ctn_buf_clear(&out);
    }
    status = EXIT_SUCCESS;
done:
    ctn_mcp_server_free(server);
    ctn_buf_done(&line);
    ctn_buf_done(&out);
    ctn_arena_free(arena);
    travel_tools_done(&tools);
    return status;
}

/* ---- call ---- */

static bool read_all(FILE *in, ctn_buf *out)
{
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, in)) > 0)
        ctn_buf_append(out, (ctn_str){chunk, got});
    return !ferror(in) && !out->overflowed;
}

static int call_tool(const char *name, const char *text)
{
    int status = EXIT_USAGE;
    ctn_err err = {0};
    travel_tools tools;
    if (!make_tools(&tools))
        return EXIT_USAGE;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_buf input, out;
    const ctn_json *arguments, *result;
    ctn_buf_init(&input, LINE_BYTES_MAX);
    ctn_buf_init(&out, (size_t) 64 * 1024 * 1024);
    ctn_str json = ctn_str_from(text);
    if (ctn_str_is(json, "-")) {
        if (!read_all(stdin, &input)) {
            status = say_usage("standard input cannot be read, or is longer than 8 MiB", NULL);
            goto done;
        }
        json = ctn_buf_str(&input);
    }
    if (ctn_json_parse(arena, json, NULL, &arguments, &err)) {
        fprintf(stderr, "catena-travel: the arguments are not JSON: %s (line %u, column %u)\n", err.message, err.line,
                err.column);
        goto done;
    }
    if (!ctn_json_is(arguments, CTN_JSON_OBJECT)) {
        status = say_usage("the arguments must be a JSON object, as in '{\"raw_lead\": \"...\"}', not",
                           ctn_json_kind_name(arguments));
        goto done;
    }
    int rc = travel_tools_run(&tools, ctn_str_from(name), arena, arguments, (ctn_str){NULL, 0}, &result, &err);
    if (rc) {
        fprintf(stderr, "catena-travel: %s\n", err.message);
        status = rc == CTN_E_NOT_FOUND || rc == CTN_E_INVALID ? EXIT_USAGE : EXIT_FAILURE;
        goto done;
    }
    ctn_json_write_pretty(&out, result);
    ctn_buf_append_char(&out, '\n');
    status = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
done:
    travel_tools_done(&tools);
    ctn_buf_done(&input);
    ctn_buf_done(&out);
    ctn_arena_free(arena);
    return status;
}

static int list_tools(void)
{
    size_t count;
    ctn_arena *arena = ctn_arena_new(16384);
    const ctn_mcp_server_tool *list = travel_tools_list(arena, &count);
    for (size_t i = 0; i < count; i++)
        printf("%-24s %s\n", list[i].name, list[i].title);
    ctn_arena_free(arena);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return say_usage("say what to do: serve, call, tools or help", NULL);
    ctn_str verb = ctn_str_from(argv[1]);
    if (ctn_str_is(verb, "help") || ctn_str_is(verb, "--help") || ctn_str_is(verb, "-h")) {
        fputs(HELP, stdout);
        return EXIT_SUCCESS;
    }
    if (ctn_str_is(verb, "version") || ctn_str_is(verb, "--version")) {
        printf("catena-travel %s\n", CATENA_VERSION);
        return EXIT_SUCCESS;
    }
    if (ctn_str_is(verb, "sources")) {
        fputs(SOURCES, stdout);
        return EXIT_SUCCESS;
    }
    if (ctn_str_is(verb, "call")) {
        if (argc != 4)
            return say_usage("call takes a tool and its arguments: catena-travel call TOOL JSON", NULL);
        return call_tool(argv[2], argv[3]);
    }
    bool is_known = ctn_str_is(verb, "serve") || ctn_str_is(verb, "tools");
    if (is_known && argc != 2)
        return say_usage("this verb takes no arguments, but there is", argv[2]);
    if (ctn_str_is(verb, "serve"))
        return serve();
    if (ctn_str_is(verb, "tools"))
        return list_tools();
    static const ctn_str verbs[] = {{"serve", 5},   {"call", 4}, {"tools", 5},
                                    {"sources", 7}, {"help", 4}, {"version", 7}};
    ctn_str nearest = ctn_str_nearest(verb, verbs, sizeof verbs / sizeof *verbs);
    fprintf(stderr, "catena-travel: unknown verb \"%.40s\"%s%.*s%s\n", argv[1], nearest.len ? "; did you mean " : "",
            CTN_STR_ARG(nearest), nearest.len ? "?" : "");
    return say_usage("say one of: serve, call, tools, sources, help, version", NULL);
}
