/*
 * Which places leads name: place_phrases.txt has 130 of all the world, each with what its client wants, written
 * before the reader had seen them. A floor holds what was reached, and what is missed is told.
 */
#include "support.h"

#include "lead/lead.h"
#include "lead/lead_parts.h"

enum { RIGHT_MIN = 106, WANTED_MAX = 8 };

/* As the scorer of the labelled leads compares: letters and digits, the rest one blank. */
static ctn_str folded(ctn_arena *arena, ctn_str text)
{
    lead_text t = lead_text_make(arena, text);
    size_t len = 0;
    for (size_t i = 0; i < t.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789", t.folded[i]))
            t.folded[len++] = t.folded[i];
        else if (len > 0 && t.folded[len - 1] != ' ')
            t.folded[len++] = ' ';
    return ctn_str_trim((ctn_str){t.folded, len});
}

static bool are_destinations_right(ctn_arena *arena, const lead *l, ctn_str wanted)
{
    size_t count = 0, hits = 0;
    for (ctn_str rest = ctn_str_trim(wanted); rest.ptr && rest.len > 0;) {
        ctn_str one = folded(arena, ctn_str_cut(&rest, ';'));
        count++;
        for (size_t i = 0; i < l->destination_count; i++)
            hits += ctn_str_equal(folded(arena, ctn_str_from(l->destinations[i])), one);
    }
    return hits == count && l->destination_count == count;
}

static void places_of_leads_from_all_over_the_world_are_found(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 20);
    ctn_str file;
    travel_day received;
    int right = 0, all = 0;
    assert_true(travel_day_from(2026, 1, 14, &received));
    assert_true(read_whole_file(arena, "travel/tests/place_phrases.txt", &file));
    while (file.ptr) {
        ctn_str line = ctn_str_trim(ctn_str_cut(&file, '\n'));
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        ctn_str text = ctn_str_trim(ctn_str_cut(&line, '|')), origin = ctn_str_cut(&line, '|');
        lead l;
        lead_read(&l, arena, text, received, (ctn_str){NULL, 0});
        bool is_right = ctn_str_equal(folded(arena, ctn_str_from(l.origin)), folded(arena, origin)) &&
                        are_destinations_right(arena, &l, line);
        right += is_right;
        all++;
        if (!is_right) {
            print_message("missed: %.*s\n    read as %s to", CTN_STR_ARG(text), l.origin ? l.origin : "(nothing)");
            for (size_t i = 0; i < l.destination_count; i++)
                print_message(" %s;", l.destinations[i]);
            print_message("\n");
        }
    }
    print_message("%d of %d leads have their origin and all their destinations right\n", right, all);
    assert_true(right >= RIGHT_MIN);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_of_leads_from_all_over_the_world_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
