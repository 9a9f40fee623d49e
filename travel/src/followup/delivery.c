/*
 * delivery.c -- see delivery.h. What each death leaves:
 *
 *     before `sending` is committed   a planned row at most; nothing left; the next call begins anew
 *     after it                        a row `sending`; whether something left is asked of the driver (may_finish)
 *     after the driver's answer       the same
 *     after `sent` is committed       the answer of the next call
 *
 * A try that finds a row `sending` may not make it `failed`: that this try was refused says nothing of the one before.
 */
#include "followup/delivery.h"

#include "crm/crm.h"
#include "followup/delivery_settings.h"
#include "kit/arguments.h"
#include "kit/shown.h"

typedef struct delivery {
    const travel_call *call;
    travel_crm *crm;
    travel_delivery_settings settings;
    travel_driver_kind driver;
    travel_message row;
    travel_letter letter;
    bool was_begun; /* the row was `sending` before this try */
} delivery;

int travel_delivery_check(const travel_agency *agency, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(4096);
    travel_delivery_settings settings;
    int rc = travel_delivery_settings_read(agency, arena, false, &settings, err);
    ctn_arena_free(arena);
    return rc;
}

static int find_channel(ctn_str channel, size_t *ret_index, ctn_err *err)
{
    for (size_t i = 0; i < TRAVEL_WAYS; i++) {
        if (ctn_str_is(channel, travel_channel_names[i])) {
            *ret_index = i;
            return CTN_OK;
        }
    }
    return ctn_fail(err, CTN_E_INVALID, "channel must be email, sms, whatsapp, phone or desk, not %.*s",
                    CTN_STR_ARG(travel_name_shown(channel)));
}

static int begin(delivery *d, ctn_str channel, ctn_err *err)
{
    const travel_call *call = d->call;
    size_t index = 0;
    int rc = find_channel(channel, &index, err);
    if (!rc)
        rc = travel_delivery_settings_read(call->tools->agency, call->arena, true, &d->settings, err);
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (rc)
        return rc;
    d->crm = call->tools->crm;
    d->driver = d->settings.channels[index];
    return CTN_OK;
}

/* ---- the letter ---- */

static void fill_letter(delivery *d, const travel_client *client)
{
    char created_at[25];
    const travel_message *row = &d->row;
    bool is_mail = ctn_str_is(row->channel, "email"), is_desk = ctn_str_is(row->channel, "desk");
    ctn_str to_name = client->name;
    if (is_desk && row->client_id.len > 0)
        to_name = ctn_arena_printf(d->call->arena, "desk, about %.*s%s%.*s%s%.*s", CTN_STR_ARG(row->client_id),
                                   row->lead_id.len ? ", " : "", CTN_STR_ARG(row->lead_id), to_name.len ? ", " : "",
                                   CTN_STR_ARG(client->name));
    else if (is_desk)
        to_name = CTN_STR("desk");
    ctn_time_format(row->created_at_ms, created_at);
    d->letter = (travel_letter){
        .key = row->key,
        .message_no = row->message_id,
        .channel = row->channel,
        .language = row->language,
        .from_name = d->settings.from_name,
        .from_address = d->settings.from_address,
        .to_name = to_name,
        .to_address = is_desk   ? d->settings.from_address
                      : is_mail ? client->email
                                : client->phone,
        .subject = row->subject,
        .body = row->body,
        .created_at = ctn_arena_str(d->call->arena, ctn_str_from(created_at)),
    };
}

/* He wanted no messages, and has not written since: who writes is answered. */
static bool wants_none(const delivery *d, const travel_client *client)
{
    travel_message since;
    return client->stopped_at_ms > 0 && travel_crm_first_incoming(d->crm, d->call->arena, client->client_id,
                                                                  client->stopped_at_ms, &since, NULL) != CTN_OK;
}

/* May this client be written to, and where? */
static int check_client(const delivery *d, const travel_client *client, ctn_str channel, ctn_err *err)
{
    bool is_mail = ctn_str_is(channel, "email"), is_desk = ctn_str_is(channel, "desk");
    if (client->erased_at_ms > 0)
        return ctn_fail(err, CTN_E_STATE, "client %.*s was erased: there is nobody to write to",
                        CTN_STR_ARG(client->client_id));
    if (!is_desk && wants_none(d, client))
        return ctn_fail(err, CTN_E_DENIED, "client %.*s wants no messages: nothing was sent",
                        CTN_STR_ARG(client->client_id));
    if (!is_desk && (is_mail ? client->email : client->phone).len == 0)
        return ctn_fail(err, CTN_E_NOT_FOUND, "client %.*s has no %s for %.*s: nothing was sent",
                        CTN_STR_ARG(client->client_id), is_mail ? "e-mail address" : "telephone number",
                        CTN_STR_ARG(channel));
    return CTN_OK;
}

/* ---- one try ---- */

static const ctn_json *result_of(const travel_message *row, ctn_arena *arena)
{
    char at[25];
    ctn_time_format(row->sent_at_ms, at);
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "message_id", row->message_id);
    ctn_json_put_str(&out, "delivered_at", ctn_arena_str(arena, ctn_str_from(at)));
    ctn_json_put_str(&out, "driver", row->driver);
    ctn_json_put_str(&out, "reference", row->reference);
    return ctn_json_finish(&out);
}

static bool is_repeatable(const delivery *d)
{
    return d->driver == TRAVEL_OUTBOX || (d->driver == TRAVEL_WEBHOOK && d->settings.webhook.may_repeat);
}

/* A row that is `sending`: may the driver of today have it once more? */
static int may_finish(const delivery *d, ctn_err *err)
{
    bool is_same = ctn_str_is(d->row.driver, travel_driver_names[d->driver]);
    if (is_same && is_repeatable(d))
        return CTN_OK;
    return ctn_fail(
        err, CTN_E_TIMEOUT,
        "message %.*s was being sent by %.*s when it was interrupted: whether it went out is not known, so it "
        "is not sent again by itself",
        CTN_STR_ARG(d->row.message_id), CTN_STR_ARG(d->row.driver));
}

static travel_fate hand_over(const delivery *d, ctn_str *ret_reference, ctn_err *err)
{
    ctn_arena *arena = d->call->arena;
    switch (d->driver) {
    case TRAVEL_SMTP: return travel_smtp_send(&d->settings.smtp, &d->letter, arena, ret_reference, err);
    case TRAVEL_WEBHOOK: return travel_webhook_send(&d->settings.webhook, &d->letter, arena, ret_reference, err);
    case TRAVEL_OUTBOX: break;
    }
    return travel_outbox_send(&d->settings.outbox, &d->letter, arena, ret_reference, err);
}

static int keep_sent(delivery *d, ctn_str reference, ctn_err *err)
{
    d->row.sent_at_ms = travel_now_ms(d->call);
    d->row.driver = ctn_str_from(travel_driver_names[d->driver]);
    d->row.reference = reference;
    int rc = travel_crm_message_sent(d->crm, d->row.message_id, reference, d->row.sent_at_ms, err);
    /* It is out, and only the row does not say so yet. */
    return rc ? ctn_fail(err, is_repeatable(d) ? CTN_E_BUSY : CTN_E_TIMEOUT,
                         "message %.*s was handed over, but the CRM could not note it", CTN_STR_ARG(d->row.message_id))
              : CTN_OK;
}

static int send(delivery *d, ctn_err *err)
{
    ctn_err why = {0};
    ctn_str reference = {NULL, 0};
    int rc = CTN_OK;
    if (!d->was_begun)
        rc = travel_crm_message_sending(d->crm, d->row.message_id, ctn_str_from(travel_driver_names[d->driver]), err);
    if (rc == CTN_E_STATE)
        return ctn_fail(err, CTN_E_BUSY, "message %.*s is being sent by another call", CTN_STR_ARG(d->row.message_id));
    if (rc)
        return rc;
    switch (hand_over(d, &reference, &why)) {
    case TRAVEL_SENT: return keep_sent(d, reference, err);
    case TRAVEL_NOT_SENT:
        if (!d->was_begun)
            rc = travel_crm_message_failed(d->crm, d->row.message_id, err);
        if (rc)
            return ctn_fail(err, CTN_E_TIMEOUT, "%s; and the CRM could not note it", why.message);
        return ctn_fail(err, d->was_begun && why.code != CTN_E_BUSY ? CTN_E_TIMEOUT : why.code, "%s", why.message);
    case TRAVEL_FATE_UNKNOWN: break;
    }
    return ctn_fail(err, is_repeatable(d) ? CTN_E_BUSY : CTN_E_TIMEOUT, "%s", why.message);
}

/* Only what goes to the desk may be about nobody. */
static int find_client(const delivery *d, ctn_str client_id, ctn_str channel, travel_client *ret_client, ctn_err *err)
{
    if (client_id.len == 0 && ctn_str_is(channel, "desk")) {
        *ret_client = (travel_client){0};
        return CTN_OK;
    }
    return travel_crm_client(d->crm, d->call->arena, client_id, ret_client, err);
}

/* Finds the row of the key or makes it; nothing is made for a client who cannot be written to. */
static int plan(delivery *d, const travel_delivery_request *r, travel_client *ret_client, ctn_err *err)
{
    const travel_call *call = d->call;
    int rc = find_client(d, r->client_id, r->channel, ret_client, err);
    int found = rc ? rc : travel_crm_message_by_key(d->crm, call->arena, r->key, &d->row, err);
    bool is_new = found == CTN_E_NOT_FOUND && rc == CTN_OK;
    if (found && !is_new)
        return found;
    if (!rc && (is_new || ctn_str_is(d->row.status, "planned") || ctn_str_is(d->row.status, "failed")))
        rc = check_client(d, ret_client, r->channel, err);
    if (rc)
        return rc;
    ctn_str language = r->language.len ? r->language : ret_client->language;
    travel_message message = {
        .client_id = r->client_id,
        .lead_id = r->lead_id,
        .direction = CTN_STR("out"),
        .channel = r->channel,
        .language = language.len ? language : travel_agency_text(call->tools->agency, "language"),
        .subject = r->subject,
        .body = r->message,
        .key = r->key,
        .execution = r->execution,
        .created_at_ms = travel_now_ms(call),
        .send_at_ms = travel_now_ms(call),
    };
    if (is_new) { /* what cannot be written is told before there is a row of it */
        d->row = message;
        fill_letter(d, ret_client);
        rc = travel_letter_check(&d->letter, err);
    }
    return rc ? rc : travel_crm_message_plan(d->crm, call->arena, &message, &d->row, err);
}

int travel_deliver(const travel_call *call, const travel_delivery_request *request, const ctn_json **ret_result,
                   ctn_err *err)
{
    delivery d = {.call = call};
    travel_client client;
    int rc = begin(&d, request->channel, err);
    if (!rc)
        rc = plan(&d, request, &client, err);
    if (rc)
        return rc;
    if (ctn_str_is(d.row.status, "cancelled"))
        return ctn_fail(err, CTN_E_STATE, "message %.*s was cancelled", CTN_STR_ARG(d.row.message_id));
    d.was_begun = ctn_str_is(d.row.status, "sending");
    if (d.was_begun)
        rc = may_finish(&d, err);
    if (!rc && !ctn_str_is(d.row.status, "sent")) {
        fill_letter(&d, &client);
        rc = travel_letter_check(&d.letter, err);
        if (rc && d.was_begun)
            rc = ctn_fail(err, CTN_E_TIMEOUT,
                          "message %.*s may have gone out, and its client can no longer be written to",
                          CTN_STR_ARG(d.row.message_id));
        if (!rc)
            rc = send(&d, err);
    }
    if (!rc)
        *ret_result = result_of(&d.row, call->arena);
    return rc;
}

/* ---- what became of it ---- */

static const ctn_json *answer(ctn_arena *arena, const ctn_json *happened, const ctn_json *result, const char *why)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put(&out, CTN_STR("happened"), happened);
    if (result)
        ctn_json_put(&out, CTN_STR("result"), result);
    if (why)
        ctn_json_put_str(&out, "why", ctn_str_from(why));
    return ctn_json_finish(&out);
}

/* The outbox can be looked at: a letter that is out makes the row `sent`, as the call itself would have. */
static int look_into_outbox(delivery *d, bool *ret_is_out, ctn_err *err)
{
    travel_client client;
    int rc = find_client(d, d->row.client_id, d->row.channel, &client, err);
    if (rc)
        return rc;
    fill_letter(d, &client);
    *ret_is_out = travel_outbox_has(&d->settings.outbox, &d->letter, d->call->arena);
    ctn_str name = travel_letter_file_name(d->call->arena, &d->letter);
    return *ret_is_out ? keep_sent(d, name, err) : CTN_OK;
}

int travel_delivery_status(const travel_call *call, ctn_str key, const ctn_json **ret_result, ctn_err *err)
{
    delivery d = {.call = call};
    bool is_out = false;
    int rc = travel_call_crm(call, false, err);
    if (!rc)
        rc = travel_crm_message_by_key(call->tools->crm, call->arena, key, &d.row, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    *ret_result = answer(call->arena, ctn_json_bool(false), NULL, NULL);
    if (rc)
        return CTN_OK;
    is_out = ctn_str_is(d.row.status, "sent");
    if (ctn_str_is(d.row.status, "sending")) {
        rc = begin(&d, d.row.channel, err);
        bool is_same = !rc && ctn_str_is(d.row.driver, travel_driver_names[d.driver]);
        if (!rc && (!is_same || !is_repeatable(&d)))
            *ret_result = answer(call->arena, &ctn_json_null, NULL,
                                 "it was being sent, and there is no way to ask whether it was taken");
        else if (!rc && d.driver == TRAVEL_OUTBOX)
            rc = look_into_outbox(&d, &is_out, err);
    }
    if (!rc && is_out)
        *ret_result = answer(call->arena, ctn_json_bool(true), result_of(&d.row, call->arena), NULL);
    return rc;
}
