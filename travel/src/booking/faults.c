/*
 * faults.c -- see faults.h.
 */
#include "booking/faults.h"

#include <stdlib.h>

static const ctn_str POINTS[] = {{"search_flights", 14}, {"search_hotels", 13}, {"hold_flight", 11},
                                 {"hold_hotel", 10},     {"take_deposit", 12},  {"confirm_booking", 15},
                                 {"release_flight", 14}, {"release_hotel", 13}, {"refund_deposit", 14},
                                 {"cancel_booking", 14}, {"booking_status", 14}};
static const ctn_str FAULTS[] = {
    {"none", 4},           {"error_before", 12}, {"error_after", 11}, {"timeout_before", 14},
    {"timeout_after", 13}, {"hang_before", 11},  {"hang_after", 10},  {"die_before", 10},
    {"die_after", 9},      {"refuse", 6},        {"dearer", 6},       {"lapse", 5}};
enum { POINT_COUNT = sizeof POINTS / sizeof *POINTS, FAULT_COUNT = sizeof FAULTS / sizeof *FAULTS };

/* "error_after*3" -> the fault, 3 */
static bool parse(ctn_str text, sandbox_fault *ret_fault, int64_t *ret_times)
{
    ctn_str name = ctn_str_trim(ctn_str_cut(&text, '*'));
    *ret_times = 1;
    if (text.ptr && (!ctn_str_to_int64(ctn_str_trim(text), ret_times) || *ret_times < 1))
        return false;
    for (size_t i = 0; i < FAULT_COUNT; i++)
        if (ctn_str_equal(name, FAULTS[i])) {
            *ret_fault = (sandbox_fault) i;
            return true;
        }
    return false;
}

static int check_one(const travel_agency *agency, const ctn_json *at, ctn_str point, ctn_str text, ctn_err *err)
{
    sandbox_fault fault;
    int64_t times;
    bool is_point = false;
    for (size_t i = 0; i < POINT_COUNT; i++)
        is_point = is_point || ctn_str_equal(point, POINTS[i]);
    ctn_str nearest =
        is_point ? ctn_str_nearest(text, FAULTS, FAULT_COUNT) : ctn_str_nearest(point, POINTS, POINT_COUNT);
    if (is_point && parse(text, &fault, &times))
        return CTN_OK;
    return travel_agency_fault(agency, at, err, "provider.faults: there is no %s \"%.*s\"%s%.*s%s",
                               is_point ? "fault" : "point", CTN_STR_ARG(is_point ? text : point),
                               nearest.len ? "; did you mean " : "", CTN_STR_ARG(nearest), nearest.len ? "?" : "");
}

static ctn_str from_environment(void)
{
    const char *text = getenv("PROVIDER_FAULTS");
    return text && *text ? ctn_str_from(text) : (ctn_str){NULL, 0};
}

int sandbox_faults_check(const travel_agency *agency, ctn_err *err)
{
    int rc = CTN_OK;
    for (ctn_str rest = from_environment(); rc == CTN_OK && rest.ptr;) {
        ctn_str text = ctn_str_cut(&rest, ','), point = ctn_str_trim(ctn_str_cut(&text, '='));
        rc = check_one(agency, NULL, point, text.ptr ? ctn_str_trim(text) : CTN_STR(""), err);
    }
    const ctn_json *faults = ctn_json_member_of(travel_agency_section(agency, "provider"), "faults");
    if (!rc && faults && !ctn_json_is(faults, CTN_JSON_OBJECT))
        rc = travel_agency_fault(agency, faults, err, "provider.faults has points, as in {hold_flight: error_after}");
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(faults); i++)
        rc = check_one(agency, &faults->members[i].value, ctn_json_text(&faults->members[i].key),
                       ctn_json_text(&faults->members[i].value), err);
    return rc;
}

static bool planned_at(const travel_agency *agency, ctn_str point, sandbox_fault *ret_fault, int64_t *ret_times)
{
    for (ctn_str rest = from_environment(); rest.ptr;) {
        ctn_str text = ctn_str_cut(&rest, ',');
        if (ctn_str_equal(ctn_str_trim(ctn_str_cut(&text, '=')), point))
            return parse(text, ret_fault, ret_times);
    }
    const ctn_json *faults = ctn_json_member_of(travel_agency_section(agency, "provider"), "faults");
    const ctn_json *fault = faults ? ctn_json_get(faults, point) : NULL;
    return fault && parse(ctn_json_text(fault), ret_fault, ret_times);
}

int sandbox_fault_at(const travel_agency *agency, travel_books *b, const char *point, sandbox_fault *ret_fault,
                     ctn_err *err)
{
    sandbox_fault fault;
    int64_t times;
    int changed = 0;
    *ret_fault = FAULT_NONE;
    if (!planned_at(agency, ctn_str_from(point), &fault, &times))
        return CTN_OK;
    int rc =
        travel_books_run(b,
                         "INSERT INTO sandbox_faults(point, happened) VALUES(?1, 1)"
                         " ON CONFLICT(point) DO UPDATE SET happened = happened + 1 WHERE happened < ?2",
                         &(travel_books_values){
                             .texts = {ctn_str_from(point)}, .text_count = 1, .integers = {times}, .integer_count = 1},
                         &changed, err);
    if (!rc && changed > 0)
        *ret_fault = fault;
    return rc;
}
