#include "lead.h"
int travel_lead_extract(ctn_arena *arena, ctn_str raw_lead, travel_day received, const ctn_json **ret_lead, ctn_err *err)
{
    (void) received;
    if (raw_lead.len > TRAVEL_LEAD_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "a lead of %zu bytes; at most %zu", raw_lead.len, TRAVEL_LEAD_BYTES_MAX);
    const char *shape = "{\"is_lead\":true,\"client_info\":{\"name\":null,\"email\":null,\"phone\":null},\"trip_requirements\":{\"origin\":null,\"destinations\":[],\"start_date\":null,\"end_date\":null,\"nights\":null,\"month\":null,\"adults\":null,\"children\":null,\"trip_type\":null,\"interests\":[]},\"budget_info\":{\"amount\":null,\"currency\":null,\"per\":null},\"missing_info\":[]}";
    return ctn_json_parse(arena, ctn_str_from(shape), NULL, ret_lead, err);
}
