/* Any bytes as a lead: never a crash, and always the whole shape. */
#include "lead/lead.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const members[] = {"is_lead", "client_info", "trip_requirements", "budget_info", "missing_info"};
    const ctn_json *lead;
    travel_day received;
    if (size > 65536 || !travel_day_from(2026, 5, 1, &received))
        return 0;
    ctn_arena *arena = ctn_arena_new(65536);
    int rc = travel_lead_extract(arena, (ctn_str){(const char *) data, size}, received, &lead, NULL);
    assert(rc == CTN_OK);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        assert(ctn_json_member_of(lead, members[i]));
    ctn_arena_free(arena);
    return 0;
}
