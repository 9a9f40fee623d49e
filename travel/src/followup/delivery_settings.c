/*
 * delivery_settings.c -- see delivery_settings.h.
 */
#include "followup/delivery_settings.h"

#include "followup/delivery.h"
#include "kit/section.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { MS_PER_SECOND = 1000, SECONDS_MAX = 50, SECONDS_DEFAULT = 30 };

const char *const travel_driver_names[TRAVEL_DRIVERS] = {"outbox", "smtp", "webhook"};
const char *const travel_channel_names[TRAVEL_WAYS] = {"email", "sms", "whatsapp", "phone", "desk"};

typedef struct reader {
    const travel_agency *agency;
    ctn_arena *arena;
    bool with_secrets;
    ctn_err *err;
} reader;

static int read_secret(const reader *r, const ctn_json *object, const char *key, ctn_str *ret_secret)
{
    const ctn_json *v = object ? ctn_json_member_of(object, key) : NULL;
    if (!v || ctn_json_is(v, CTN_JSON_NULL))
        return CTN_OK;
    int rc = travel_agency_secret(r->agency, r->arena, v, ret_secret, r->err);
    if (rc == CTN_E_NOT_FOUND && !r->with_secrets)
        return CTN_OK; /* it may come into the environment later */
    return rc == CTN_E_NOT_FOUND ? ctn_wrap(r->err, rc, "%s", key) : rc;
}

static int read_path(const reader *r, const ctn_json *object, const char *key, ctn_str *ret_path)
{
    ctn_str path;
    int rc = travel_section_text(r->agency, object, key, CTN_STR(""), &path, r->err);
    if (!rc && path.len > 0)
        *ret_path = travel_agency_path(r->agency, r->arena, path);
    return rc;
}

static int read_timeout(const reader *r, const ctn_json *object, int64_t *ret_ms)
{
    int64_t seconds = SECONDS_DEFAULT;
    int rc =
        travel_section_int(r->agency, object, "timeout_seconds", 1, SECONDS_MAX, SECONDS_DEFAULT, &seconds, r->err);
    *ret_ms = seconds * MS_PER_SECOND;
    return rc;
}

static int read_smtp(const reader *r, const ctn_json *object, travel_smtp_settings *smtp)
{
    static const char *const keys[] = {"host", "port", "security", "username", "password", "ca", "timeout_seconds"};
    static const char *const securities[] = {"starttls", "tls", "none"};
    size_t security = TRAVEL_STARTTLS;
    int rc = travel_section_keys(r->agency, object, "delivery.smtp", keys, COUNT(keys), r->err);
    if (!rc)
        rc = travel_section_text(r->agency, object, "host", CTN_STR(""), &smtp->host, r->err);
    bool is_here = travel_host_is_loopback(smtp->host);
    if (!rc)
        rc = travel_section_word(r->agency, object, "security", securities, COUNT(securities),
                                 is_here ? TRAVEL_CLEARTEXT : TRAVEL_STARTTLS, &security, r->err);
    smtp->security = (travel_security) security;
    if (!rc)
        rc = travel_section_int(r->agency, object, "port", 1, 65535, security == TRAVEL_TLS ? 465 : 587, &smtp->port,
                                r->err);
    if (!rc)
        rc = travel_section_text(r->agency, object, "username", CTN_STR(""), &smtp->username, r->err);
    if (!rc)
        rc = read_secret(r, object, "password", &smtp->password);
    if (!rc)
        rc = read_path(r, object, "ca", &smtp->ca);
    if (!rc)
        rc = read_timeout(r, object, &smtp->timeout_ms);
    if (!rc && smtp->security == TRAVEL_CLEARTEXT && !is_here && smtp->username.len > 0)
        rc = travel_agency_fault(r->agency, ctn_json_member_of(object, "security"), r->err,
                                 "with security: none the password would travel in clear: take starttls or tls");
    if (!rc && smtp->host.len > 0 && ctn_str_find_control(smtp->host) != SIZE_MAX)
        rc = travel_agency_fault(r->agency, object, r->err, "host is no name of a machine");
    return rc;
}

/* "https://...", or "http://" to this machine. */
static bool is_url_allowed(ctn_str url)
{
    if (ctn_str_starts_with(url, CTN_STR("https://")))
        return true;
    if (!ctn_str_starts_with(url, CTN_STR("http://")))
        return false;
    ctn_str host = ctn_str_from_offset(url, 7);
    size_t len = 0;
    bool is_six = host.len > 0 && host.ptr[0] == '[';
    while (len < host.len && host.ptr[len] != '/' && host.ptr[len] != '?' && host.ptr[len] != '#' &&
           (is_six ? host.ptr[len] != ']' : host.ptr[len] != ':'))
        if (host.ptr[len++] == '@')
            return false; /* what stands before is no host */
    return travel_host_is_loopback((ctn_str){host.ptr, is_six && len < host.len ? len + 1 : len});
}

static int read_webhook(const reader *r, const ctn_json *object, travel_webhook_settings *webhook)
{
    static const char *const keys[] = {"url", "token", "may_repeat", "ca", "timeout_seconds"};
    int rc = travel_section_keys(r->agency, object, "delivery.webhook", keys, COUNT(keys), r->err);
    if (!rc)
        rc = travel_section_text(r->agency, object, "url", CTN_STR(""), &webhook->url, r->err);
    if (!rc && webhook->url.len > 0 && !is_url_allowed(webhook->url))
        rc = travel_agency_fault(r->agency, ctn_json_member_of(object, "url"), r->err,
                                 "url must begin with https:// (http:// only to this machine)");
    if (!rc)
        rc = read_secret(r, object, "token", &webhook->token);
    if (!rc)
        rc = travel_section_bool(r->agency, object, "may_repeat", false, &webhook->may_repeat, r->err);
    if (!rc)
        rc = read_path(r, object, "ca", &webhook->ca);
    if (!rc)
        rc = read_timeout(r, object, &webhook->timeout_ms);
    return rc;
}

static int read_from(const reader *r, const ctn_json *object, travel_delivery_settings *s)
{
    static const char *const keys[] = {"name", "address"};
    int rc = travel_section_keys(r->agency, object, "delivery.from", keys, COUNT(keys), r->err);
    if (!rc)
        rc = travel_section_text(r->agency, object, "name", travel_agency_text(r->agency, "name"), &s->from_name,
                                 r->err);
    if (!rc)
        rc = travel_section_text(r->agency, object, "address", travel_agency_text(r->agency, "email"), &s->from_address,
                                 r->err);
    if (!rc && s->from_address.len > 0 && !travel_mail_address_ok(s->from_address))
        rc = travel_agency_fault(r->agency, object ? ctn_json_member_of(object, "address") : NULL, r->err,
                                 "the sender's address must be an e-mail address such as hello@oaksea.example");
    return rc;
}

static int read_channels(const reader *r, const ctn_json *object, travel_delivery_settings *s)
{
    int rc = travel_section_keys(r->agency, object, "delivery.channels", travel_channel_names, TRAVEL_WAYS, r->err);
    for (size_t i = 0; !rc && i < TRAVEL_WAYS; i++) {
        size_t driver = TRAVEL_OUTBOX;
        rc = travel_section_word(r->agency, object, travel_channel_names[i], travel_driver_names, TRAVEL_DRIVERS,
                                 TRAVEL_OUTBOX, &driver, r->err);
        s->channels[i] = (travel_driver_kind) driver;
        const ctn_json *at = object ? ctn_json_member_of(object, travel_channel_names[i]) : NULL;
        if (!rc && driver == TRAVEL_SMTP && i > 0 && i != TRAVEL_DESK)
            rc = travel_agency_fault(r->agency, at, r->err, "smtp carries email only: take outbox or webhook for %s",
                                     travel_channel_names[i]);
        if (!rc && driver == TRAVEL_SMTP && s->smtp.host.len == 0)
            rc = travel_agency_fault(r->agency, at, r->err, "smtp needs delivery.smtp.host, the mail server's name");
        if (!rc && driver == TRAVEL_SMTP && s->from_address.len == 0)
            rc = travel_agency_fault(r->agency, at, r->err, "smtp needs the sender's address: agency.email");
        if (!rc && driver == TRAVEL_WEBHOOK && s->webhook.url.len == 0)
            rc = travel_agency_fault(r->agency, at, r->err, "webhook needs delivery.webhook.url");
    }
    return rc;
}

int travel_delivery_settings_read(const travel_agency *agency, ctn_arena *arena, bool with_secrets,
                                  travel_delivery_settings *ret_settings, ctn_err *err)
{
    static const char *const keys[] = {"from", "channels", "outbox", "smtp", "webhook"};
    static const char *const outbox_keys[] = {"folder"};
    const reader r = {agency, arena, with_secrets, err};
    const ctn_json *section = travel_agency_section(agency, "delivery");
    const ctn_json *part[COUNT(keys)] = {NULL};
    travel_delivery_settings s = {.outbox = {.folder = CTN_STR("outbox")}};
    int rc = travel_section_keys(agency, section, "delivery", keys, COUNT(keys), err);
    for (size_t i = 0; !rc && i < COUNT(keys); i++)
        rc = travel_section_object(agency, section, keys[i], &part[i], err);
    if (!rc)
        rc = read_from(&r, part[0], &s);
    if (!rc)
        rc = travel_section_keys(agency, part[2], "delivery.outbox", outbox_keys, COUNT(outbox_keys), err);
    if (!rc)
        rc = travel_section_text(agency, part[2], "folder", CTN_STR("outbox"), &s.outbox.folder, err);
    if (!rc)
        rc = read_smtp(&r, part[3], &s.smtp);
    if (!rc)
        rc = read_webhook(&r, part[4], &s.webhook);
    if (!rc)
        rc = read_channels(&r, part[1], &s);
    if (rc)
        return rc;
    s.outbox.folder = travel_agency_path(agency, arena, s.outbox.folder);
    *ret_settings = s;
    return CTN_OK;
}
