/*
 * flights.c -- see flights.h. A token is a serial number and the index of its place, so it names one call only.
 */
#include "engine/flights.h"
#include "base/memory.h"
#include "engine/state.h"

#include <stdlib.h>

struct lost_call {
    ctn_execution_id id;
    uint64_t token;
    const ctn_driver *driver;
    uint32_t step, call;
    int64_t item;
    ctn_role role;
    ctn_str target; /* in the plan */
    int64_t until_ms;
};

void ctn_flights_done(ctn_flights *flights)
{
    free(flights->all);
    free(flights->lost);
}

flight *ctn_flight_by_token(ctn_flights *flights, uint64_t token)
{
    uint32_t index = (uint32_t) (token & 0xffffffffu);
    return index < flights->count && flights->all[index].token == token ? &flights->all[index] : NULL;
}

flight *ctn_flight_of(const ctn_flights *flights, const loaded *l, uint32_t i)
{
    return &flights->all[l->flights[i]];
}

static uint32_t take_free(ctn_flights *flights)
{
    if (flights->free) {
        uint32_t index = flights->free - 1;
        flights->free = flights->all[index].step;
        return index;
    }
    flights->all = ctn_array_room(flights->all, flights->count, &flights->capacity, sizeof *flights->all);
    return flights->count++;
}

flight *ctn_flight_open(ctn_flights *flights, loaded *l, const ctn_owed_call *owed, const ctn_driver *driver,
                        int64_t now_ms)
{
    uint32_t index = take_free(flights);
    flights->all[index] = (flight){
        .token = (++flights->token_last << 32) | index,
        .l = l,
        .driver = driver,
        .step = owed->step,
        .item = owed->item,
        .call = owed->call,
        .attempt = owed->attempt,
        .role = owed->role,
        .set = owed->set,
        .target = owed->plan_call->target,
        .is_check = owed->is_check,
        .begun_at_ms = now_ms,
    };
    l->flights = ctn_array_room(l->flights, l->flight_count, &l->flight_capacity, sizeof *l->flights);
    l->flights[l->flight_count++] = index;
    flights->open++;
    return &flights->all[index];
}

void ctn_flight_note_lost(ctn_flights *flights, const flight *f, int64_t now_ms)
{
    for (uint32_t i = 0; i < flights->lost_count; i++)
        if (flights->lost[i].until_ms <= now_ms)
            flights->lost[i--] = flights->lost[--flights->lost_count];
    flights->lost = ctn_array_room(flights->lost, flights->lost_count, &flights->lost_capacity, sizeof *flights->lost);
    flights->lost[flights->lost_count++] = (lost_call){.id = f->l->id,
                                                       .token = f->token,
                                                       .driver = f->driver,
                                                       .step = f->step,
                                                       .item = f->item,
                                                       .target = f->target,
                                                       .call = f->call,
                                                       .role = f->role,
                                                       .until_ms = f->begun_at_ms + f->set->settle_ms};
}

bool ctn_flight_lost_may_arrive(const ctn_flights *flights, const flight *check)
{
    for (uint32_t i = 0; i < flights->lost_count; i++) {
        const lost_call *c = &flights->lost[i];
        if (c->step == check->step && c->item == check->item && c->call == check->call && c->role == check->role &&
            ctn_id_equal(c->id, check->l->id) && c->driver->may_still_arrive &&
            c->driver->may_still_arrive(c->driver->ctx, c->token, c->target))
            return true;
    }
    return false;
}

static void close_flight(ctn_flights *flights, flight *f)
{
    uint32_t index = (uint32_t) (f - flights->all);
    loaded *l = f->l;
    for (uint32_t i = 0; i < l->flight_count; i++)
        if (l->flights[i] == index) {
            l->flights[i] = l->flights[--l->flight_count];
            break;
        }
    f->token = 0;
    f->step = flights->free;
    flights->free = index + 1;
    flights->open--;
}

void ctn_eng_flight_end(ctn_engine *e, flight *f)
{
    ctn_eng_pass_give_back(e, &f->pass);
    close_flight(&e->flights, f);
}

static void forget(ctn_engine *e, flight *f)
{
    uint64_t token = f->token;
    const ctn_driver *driver = f->is_done ? NULL : f->driver;
    ctn_eng_flight_end(e, f);
    if (driver && driver->forget)
        driver->forget(driver->ctx, token);
    else if (driver)
        driver->cancel(driver->ctx, token);
}

void ctn_eng_flights_forget(ctn_engine *e, loaded *l)
{
    while (l->flight_count)
        forget(e, ctn_flight_of(&e->flights, l, l->flight_count - 1));
}

void ctn_eng_flights_forget_accepted(ctn_engine *e, const loaded *l)
{
    for (uint32_t i = 0; i < e->flights.count; i++) {
        flight *f = &e->flights.all[i];
        if (f->token && f->is_accepted && !f->is_done && (!l || f->l == l))
            forget(e, f);
    }
}
