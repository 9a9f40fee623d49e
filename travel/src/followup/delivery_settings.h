/*
 * delivery_settings.h -- section `delivery` of agency.yaml, read (delivery.h says what stands there).
 */
#pragma once

#include "followup/driver.h"

typedef enum travel_driver_kind { TRAVEL_OUTBOX, TRAVEL_SMTP, TRAVEL_WEBHOOK } travel_driver_kind;
enum { TRAVEL_DRIVERS = 3 };
extern const char *const travel_driver_names[TRAVEL_DRIVERS]; /* outbox smtp webhook */

typedef struct travel_delivery_settings {
    ctn_str from_name, from_address;
    travel_driver_kind channels[5]; /* by the order of travel_channel_names */
    travel_outbox_settings outbox;
    travel_smtp_settings smtp;
    travel_webhook_settings webhook;
} travel_delivery_settings;

/* with_secrets: passwords and tokens are read too, and it fails when one is not there. */
int travel_delivery_settings_read(const travel_agency *agency, ctn_arena *arena, bool with_secrets,
                                  travel_delivery_settings *ret_settings, ctn_err *err);
