/*
 * crm_contact.h -- a way to reach somebody, as a key that is equal for everything that means the same. Pure.
 *
 *     " Anna.Smith+trips@Example.COM "  ->  email:anna.smith+trips@example.com      (a +tag makes another address)
 *     "+44 (0)7700 900-123"             ->  phone:+447700900123
 *     "0044 7700 900123"                ->  phone:+447700900123
 *     "07700 900123"                    ->  digits:07700900123
 *
 * A number is E.164 when it says its country. Which country a number without one belongs to is for the extraction to
 * find; here such a number is equal to the same digits and to nothing else.
 */
#pragma once

#include "base/arena.h"

/* Empty: it is no address, no number. */
ctn_str travel_email_key(ctn_arena *arena, ctn_str text);
ctn_str travel_phone_key(ctn_arena *arena, ctn_str text);
