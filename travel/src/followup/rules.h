/*
 * rules.h -- what to write to whom: a table that an agency edits. Its first row that fits decides.
 *
 *     followup:
 *       standing: {active: 3, warm: 14, cooling: 45, dormant: 180}   # days since the last contact; more: lapsed
 *       rules:
 *         - {lead: [lost, spam], send: none, because: the enquiry is closed}
 *         - {lead: proposed, days: 4..13, send: proposal_review, channel: [whatsapp, email], urgency: high}
 *
 * A row fits when everything that it names fits:
 *     lead        state of the client's last enquiry: new asked proposed accepted booked lost spam, or none at all
 *     standing    active warm cooling dormant lapsed
 *     days        since the last contact, whoever wrote: 5, 3..14, 46.., ..2
 *     engagement  high medium low
 *     touch       how many messages of this sequence there will be with this one: 1, 2.., 1..2
 *     followups   how many follow-ups went out since the last contact: 0, ..2, 3..
 *     campaign    the campaign that the sequence was started for
 *     language    en es fr de
 * of which all but days, touch and followups may be a list: any of it. What is not known fits no row that asks for it.
 *
 * The row says
 *     send        none, or the kind of message (texts.h)
 *     because     the reason, for people; wanted with none
 *     channel     email, sms, whatsapp, phone, or a list: the first by which the client can be reached; default email
 *     urgency     high medium low: how soon (timing.h); default medium
 *
 * When no row fits, nothing is sent. Without `rules` the table is the one that the pack's agency.yaml shows.
 */
#pragma once

#include "agency.h"

typedef struct travel_rules_facts {
    ctn_str lead, standing, engagement, campaign, language; /* empty: not known */
    int64_t days;                                           /* -1: not known */
    int64_t touch, followups;
    const ctn_json *contacts; /* ["email", "phone"]; NULL: not known, then any channel will do */
} travel_rules_facts;

typedef struct travel_rules_choice {
    ctn_str send;    /* empty: nothing is to be sent */
    ctn_str channel; /* empty with it */
    ctn_str urgency;
    ctn_str reason; /* for people; never empty */
} travel_rules_choice;

typedef struct travel_standing {
    int64_t days_max[4]; /* of active, warm, cooling, dormant */
} travel_standing;

/* `is_kind` says which kinds of message there are. CTN_E_INVALID with file:line:column. */
int travel_rules_check(const travel_agency *agency, bool (*is_kind)(const travel_agency *agency, ctn_str kind),
                       ctn_err *err);
int travel_standing_read(const travel_agency *agency, travel_standing *ret_standing, ctn_err *err);
const char *travel_standing_of(const travel_standing *standing, int64_t days);
/* The rows that count when the section has none. */
const ctn_json *travel_rules_default(ctn_arena *arena);
/* The section was checked. */
travel_rules_choice travel_rules_choose(const travel_agency *agency, ctn_arena *arena, const travel_rules_facts *facts);
