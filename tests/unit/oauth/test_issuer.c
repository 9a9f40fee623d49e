/*
 * Tokens of an issuer: signed with keys of every kind that is taken, rotated, and attacked in all the ways that are
 * known of such tokens.
 */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/base64.h"
#include "oauth/issuer.h"
#include "support/cmocka.h"
#include "support/http_peer.h"

typedef enum key_kind { BY_RSA, BY_EC, BY_ED, KEY_KINDS } key_kind;

typedef struct group { /* keys cost time: they are made once */
    EVP_PKEY *keys[KEY_KINDS], *others[KEY_KINDS];
} group;

typedef struct world {
    group *keys;
    ctn_arena *arena;
    http_peer *peer;
    ctn_loop *loop;
    ctn_timer *timer;
    ctn_issuer issuer;
    ctn_issuers *issuers;
    int64_t now_ms;
    ctn_err err;
    const ctn_json *claims;
    /* what the issuer says; its threads read it */
    pthread_mutex_t lock;
    char jwks[8192], named[200];
    bool is_down;
    int asked;
} world;

static group the_keys;

static int make_keys(void **state)
{
    (void) state;
    for (int i = 0; i < 2; i++) {
        EVP_PKEY **keys = i ? the_keys.others : the_keys.keys;
        keys[BY_RSA] = EVP_RSA_gen(2048);
        keys[BY_EC] = EVP_EC_gen("P-256");
        keys[BY_ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        for (int k = 0; k < KEY_KINDS; k++)
            assert_non_null(keys[k]);
    }
    return 0;
}

static int free_keys(void **state)
{
    (void) state;
    for (int k = 0; k < KEY_KINDS; k++) {
        EVP_PKEY_free(the_keys.keys[k]);
        EVP_PKEY_free(the_keys.others[k]);
    }
    return 0;
}

/* ---- the issuer ---- */

static int64_t clock_of(void *ctx)
{
    return ((world *) ctx)->now_ms;
}

static void serve(void *ctx, http_asked *asked)
{
    world *w = ctx;
    char body[8600];
    pthread_mutex_lock(&w->lock);
    w->asked++;
    bool is_down = w->is_down;
    if (strcmp(asked->path, "/.well-known/openid-configuration") == 0)
        (void) snprintf(body, sizeof body, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}", w->named,
                        http_peer_url(asked->peer));
    else
        (void) snprintf(body, sizeof body, "%s", w->jwks);
    pthread_mutex_unlock(&w->lock);
    http_answer(asked, is_down ? 503 : 200, "application/json", is_down ? "" : body);
}

static ctn_str number_of(world *w, EVP_PKEY *key, const char *name)
{
    BIGNUM *n = NULL;
    unsigned char bytes[512];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
    int count = BN_bn2bin(n, bytes);
    BN_free(n);
    return ctn_base64_url(w->arena, (ctn_str){(char *) bytes, (size_t) count});
}

static ctn_str point_of(world *w, EVP_PKEY *key, const char *name)
{
    BIGNUM *n = NULL;
    unsigned char bytes[32];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
    assert_int_equal(BN_bn2binpad(n, bytes, 32), 32);
    BN_free(n);
    return ctn_base64_url(w->arena, (ctn_str){(char *) bytes, 32});
}

static ctn_str jwk_of(world *w, key_kind kind, EVP_PKEY *key, const char *kid)
{
    unsigned char raw[32];
    size_t count = sizeof raw;
    switch (kind) {
    case BY_RSA:
        return ctn_arena_printf(w->arena,
                                "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"%s\",\"n\":\"%.*s\",\"e\":\"%.*s\"}", kid,
                                CTN_STR_ARG(number_of(w, key, OSSL_PKEY_PARAM_RSA_N)),
                                CTN_STR_ARG(number_of(w, key, OSSL_PKEY_PARAM_RSA_E)));
    case BY_EC:
        return ctn_arena_printf(w->arena,
                                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%.*s\",\"y\":\"%.*s\"}", kid,
                                CTN_STR_ARG(point_of(w, key, OSSL_PKEY_PARAM_EC_PUB_X)),
                                CTN_STR_ARG(point_of(w, key, OSSL_PKEY_PARAM_EC_PUB_Y)));
    default:
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &count), 1);
        return ctn_arena_printf(w->arena, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%.*s\"}", kid,
                                CTN_STR_ARG(ctn_base64_url(w->arena, (ctn_str){(char *) raw, count})));
    }
}

/* The issuer has these keys from now on, with the ids r, e and d and `tail`. */
static void publish(world *w, EVP_PKEY *const *keys, const char *tail)
{
    ctn_str r = jwk_of(w, BY_RSA, keys[BY_RSA], ctn_arena_printf(w->arena, "r%s", tail).ptr);
    ctn_str e = jwk_of(w, BY_EC, keys[BY_EC], ctn_arena_printf(w->arena, "e%s", tail).ptr);
    ctn_str d = jwk_of(w, BY_ED, keys[BY_ED], ctn_arena_printf(w->arena, "d%s", tail).ptr);
    pthread_mutex_lock(&w->lock);
    (void) snprintf(w->jwks, sizeof w->jwks, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},%.*s,%.*s,%.*s]}",
                    CTN_STR_ARG(r), CTN_STR_ARG(e), CTN_STR_ARG(d));
    pthread_mutex_unlock(&w->lock);
}

static void on_time(void *ctx)
{
    ctn_loop_stop(((world *) ctx)->loop);
}

static void run_for(world *w, int64_t ms)
{
    ctn_timer_set(w->timer, ctn_loop_now_ms(w->loop) + ms);
    ctn_loop_run(w->loop);
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->keys = &the_keys;
    w->arena = ctn_arena_new(65536);
    w->now_ms = INT64_C(1800000000000);
    pthread_mutex_init(&w->lock, NULL);
    const http_peer_options options = {.serve = serve, .ctx = w};
    w->peer = http_peer_start(&options);
    w->loop = ctn_loop_new();
    w->timer = ctn_timer_new(w->loop, on_time, w);
    w->issuer = (ctn_issuer){.issuer = ctn_str_from(http_peer_url(w->peer)), .audience = CTN_STR("catena")};
    (void) snprintf(w->named, sizeof w->named, "%s", http_peer_url(w->peer));
    publish(w, w->keys->keys, "1");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    ctn_issuers_free(w->issuers);
    ctn_timer_free(w->timer);
    ctn_loop_free(w->loop);
    http_peer_stop(w->peer);
    pthread_mutex_destroy(&w->lock);
    ctn_arena_free(w->arena);
    free(w);
    return 0;
}

/* ---- tokens ---- */

static ctn_str sign_text(world *w, const char *alg, EVP_PKEY *key, ctn_str text)
{
    unsigned char raw[1024], pair[64];
    size_t count = sizeof raw;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *of_key = NULL;
    bool is_ed = strcmp(alg, "EdDSA") == 0;
    assert_int_equal(EVP_DigestSignInit(context, &of_key, is_ed ? NULL : EVP_sha256(), NULL, key), 1);
    if (strcmp(alg, "PS256") == 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(EVP_DigestSign(context, raw, &count, (const unsigned char *) text.ptr, text.len), 1);
    EVP_MD_CTX_free(context);
    if (strcmp(alg, "ES256") == 0) {
        const unsigned char *at = raw;
        ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long) count);
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), pair, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), pair + 32, 32);
        ECDSA_SIG_free(signature);
        return ctn_base64_url(w->arena, (ctn_str){(char *) pair, 64});
    }
    return ctn_base64_url(w->arena, (ctn_str){(char *) raw, count});
}

static ctn_str unsigned_token(world *w, const char *header, const char *payload)
{
    return ctn_arena_printf(w->arena, "%.*s.%.*s", CTN_STR_ARG(ctn_base64_url(w->arena, ctn_str_from(header))),
                            CTN_STR_ARG(ctn_base64_url(w->arena, ctn_str_from(payload))));
}

static ctn_str token_of(world *w, const char *header, const char *payload, const char *alg, EVP_PKEY *key)
{
    ctn_str text = unsigned_token(w, header, payload);
    return ctn_arena_printf(w->arena, "%.*s.%.*s", CTN_STR_ARG(text), CTN_STR_ARG(sign_text(w, alg, key, text)));
}

/* Claims of a good token; `more` begins with a comma. */
static const char *payload(world *w, const char *more)
{
    return ctn_arena_printf(w->arena, "{\"iss\":\"%s\",\"aud\":\"catena\",\"sub\":\"ada\",\"exp\":%lld%s}",
                            http_peer_url(w->peer), (long long) (w->now_ms / 1000 + 300), more)
        .ptr;
}

static ctn_token_verdict judge(world *w, ctn_str token)
{
    size_t number = 77;
    ctn_token_verdict verdict = ctn_issuers_judge(w->issuers, w->arena, token, &number, &w->claims, &w->err);
    if (verdict == CTN_TOKEN_GOOD)
        assert_int_equal(number, 0);
    return verdict;
}

/* As a client would: asks again as long as it is told to. */
static ctn_token_verdict judge_at_last(world *w, ctn_str token)
{
    ctn_token_verdict verdict = judge(w, token);
    for (int i = 0; i < 200 && verdict == CTN_TOKEN_LATER; i++) {
        run_for(w, 20);
        w->now_ms += 1000;
        verdict = judge(w, token);
    }
    return verdict;
}

static void open_issuers(world *w)
{
    const ctn_issuers_options options = {.loop = w->loop, .clock = {clock_of, w}, .issuers = &w->issuer, .count = 1};
    w->issuers = ctn_issuers_new(&options);
}

static ctn_str good_token(world *w)
{
    return token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\"}", payload(w, ""), "ES256", w->keys->keys[BY_EC]);
}

/* ---- tests ---- */

static void tokens_of_every_kind_of_key_are_taken(void **state)
{
    world *w = *state;
    open_issuers(w);
    const struct {
        const char *header, *alg;
        key_kind kind;
    } CASES[] = {
        {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"JWT\"}", "RS256", BY_RSA},
        {"{\"alg\":\"PS256\",\"kid\":\"r1\"}", "PS256", BY_RSA},
        {"{\"alg\":\"ES256\",\"kid\":\"e1\",\"typ\":\"at+jwt\"}", "ES256", BY_EC},
        {"{\"alg\":\"EdDSA\",\"kid\":\"d1\"}", "EdDSA", BY_ED},
        {"{\"alg\":\"ES256\"}", "ES256", BY_EC}, /* does not say which */
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ctn_str token = token_of(w, CASES[i].header, payload(w, ""), CASES[i].alg, w->keys->keys[CASES[i].kind]);
        assert_int_equal(judge_at_last(w, token), CTN_TOKEN_GOOD);
        assert_true(ctn_str_is(ctn_json_text(ctn_json_member_of(w->claims, "sub")), "ada"));
    }
    assert_int_equal(w->asked, 2); /* once for all of them */
}

static void refused(world *w, ctn_str token, const char *why)
{
    w->err.message[0] = '\0';
    ctn_token_verdict verdict = judge_at_last(w, token);
    if (verdict != CTN_TOKEN_BAD || !strstr(w->err.message, why))
        fail_msg("%d '%s' instead of '%s'", (int) verdict, w->err.message, why);
}

/* The public key as the secret of HS256: the classic one. */
static ctn_str confused(world *w)
{
    unsigned char mac[32];
    unsigned int count = sizeof mac;
    ctn_str text = unsigned_token(w, "{\"alg\":\"HS256\",\"kid\":\"r1\"}", payload(w, ""));
    ctn_str secret = jwk_of(w, BY_RSA, w->keys->keys[BY_RSA], "r1");
    assert_non_null(
        HMAC(EVP_sha256(), secret.ptr, (int) secret.len, (const unsigned char *) text.ptr, text.len, mac, &count));
    return ctn_arena_printf(w->arena, "%.*s.%.*s", CTN_STR_ARG(text),
                            CTN_STR_ARG(ctn_base64_url(w->arena, (ctn_str){(char *) mac, count})));
}

static void what_is_not_signed_as_it_must_be_is_refused(void **state)
{
    world *w = *state;
    open_issuers(w);
    EVP_PKEY *ec = w->keys->keys[BY_EC], *rsa = w->keys->keys[BY_RSA];
    ctn_str good = good_token(w);
    assert_int_equal(judge_at_last(w, good), CTN_TOKEN_GOOD);
    const char *p = payload(w, "");
    const char *by_list = "not signed by RS256";
    refused(w, ctn_arena_printf(w->arena, "%.*s.", CTN_STR_ARG(unsigned_token(w, "{\"alg\":\"none\"}", p))), by_list);
    refused(w, ctn_arena_printf(w->arena, "%.*s.AAAA", CTN_STR_ARG(unsigned_token(w, "{\"alg\":\"nOnE\"}", p))),
            by_list);
    refused(w, ctn_arena_printf(w->arena, "%.*s.AAAA", CTN_STR_ARG(unsigned_token(w, "{}", p))), by_list);
    refused(w, ctn_arena_printf(w->arena, "%.*s.AAAA", CTN_STR_ARG(unsigned_token(w, "{\"alg\":\"RS512\"}", p))),
            by_list);
    refused(w, confused(w), by_list);
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\"}", p, "ES256", w->keys->others[BY_EC]),
            "signature is wrong");
    refused(w, token_of(w, "{\"alg\":\"RS256\",\"kid\":\"e1\"}", p, "RS256", rsa),
            "a key that its issuer does not have");
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"jwk\":{}}", p, "ES256", ec),
            "'jwk', which is not taken");
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"jku\":\"https://x\"}", p, "ES256", ec), "'jku'");
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"x5c\":[]}", p, "ES256", ec), "'x5c'");
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"crit\":[\"b64\"],\"b64\":false}", p, "ES256", ec),
            "'crit'");
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"e1\"}", p, "ES256", ec), "header");
    refused(w, token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e1\",\"typ\":\"secevent+jwt\"}", p, "ES256", ec),
            "another type");

    /* A byte of the claims, of the signature; a signature of zeros (CVE-2022-21449); in DER; none. */
    ctn_str altered = ctn_arena_str(w->arena, good);
    size_t dot = ctn_str_find(good, CTN_STR(".")) + 40;
    ((char *) altered.ptr)[dot] = (char) (altered.ptr[dot] == 'A' ? 'B' : 'A');
    assert_int_equal(judge(w, altered), CTN_TOKEN_BAD);
    ctn_str text = unsigned_token(w, "{\"alg\":\"ES256\",\"kid\":\"e1\"}", p);
    static const char ZEROS[64];
    refused(w,
            ctn_arena_printf(w->arena, "%.*s.%.*s", CTN_STR_ARG(text),
                             CTN_STR_ARG(ctn_base64_url(w->arena, (ctn_str){ZEROS, 64}))),
            "signature is wrong");
    refused(w,
            ctn_arena_printf(w->arena, "%.*s.%.*s", CTN_STR_ARG(text),
                             CTN_STR_ARG(ctn_base64_url(w->arena, (ctn_str){ZEROS, 70}))),
            "signature is wrong");
    refused(w, ctn_arena_printf(w->arena, "%.*s.", CTN_STR_ARG(text)), "no signature");
    refused(w, ctn_arena_printf(w->arena, "%.*s.AA.AA", CTN_STR_ARG(text)), "three parts");
    char *large = ctn_arena_calloc(w->arena, 1, 20000);
    memset(large, 'A', 20000);
    refused(w, (ctn_str){large, 20000}, "more than 16384 bytes");
    assert_int_equal(judge(w, good), CTN_TOKEN_GOOD);
}

static void what_is_for_somebody_else_or_not_for_now_is_refused(void **state)
{
    world *w = *state;
    w->issuer.clients = &(ctn_str){"console", 7};
    w->issuer.client_count = 1;
    open_issuers(w);
    EVP_PKEY *ec = w->keys->keys[BY_EC];
    const char *h = "{\"alg\":\"ES256\",\"kid\":\"e1\"}", *url = http_peer_url(w->peer);
    long long now = w->now_ms / 1000;
    assert_int_equal(judge_at_last(w, token_of(w, h, payload(w, ",\"azp\":\"console\""), "ES256", ec)), CTN_TOKEN_GOOD);
    now = w->now_ms / 1000;
    const struct {
        const char *claims, *why;
    } CASES[] = {
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":%lld}", NULL},
        {"{\"iss\":\"%s\",\"aud\":[\"x\",\"catena\"],\"azp\":\"console\",\"exp\":%lld.5}", NULL},
        {"{\"iss\":\"%s\",\"aud\":\"catena2\",\"azp\":\"console\",\"exp\":%lld}", "for another audience"},
        {"{\"iss\":\"%s\",\"aud\":[],\"azp\":\"console\",\"exp\":%lld}", "for another audience"},
        {"{\"iss\":\"%s\",\"azp\":\"console\",\"exp\":%lld}", "for another audience"},
        {"{\"iss\":\"%s/\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":%lld}", "not configured"},
        {"{\"iss\":[\"%s\"],\"aud\":\"catena\",\"azp\":\"console\",\"exp\":%lld}", "not configured"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"evil\",\"exp\":%lld}", "a client that is not listed"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"exp\":%lld}", "a client that is not listed"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":\"%lld\"}", "until when"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"until\":%lld}", "until when"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":-%lld}", "until when"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":%lld000000}", "until when"},
        {"{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":%lld,\"exp\":1}", "payload"},
        {"[\"%s\",%lld]", "payload"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        ctn_str claims = ctn_arena_printf(w->arena, CASES[i].claims, url, now + 300);
#pragma GCC diagnostic pop
        ctn_str token = token_of(w, h, claims.ptr, "ES256", ec);
        if (CASES[i].why)
            refused(w, token, CASES[i].why);
        else
            assert_int_equal(judge(w, token), CTN_TOKEN_GOOD);
    }
    const struct {
        int expires, not_before, issued;
        const char *why;
    } TIMES[] = {{-59, 0, 0, NULL},  {-61, 0, 0, "has expired"},  {300, 59, 0, NULL}, {300, 61, 0, "not good yet"},
                 {300, 0, 59, NULL}, {300, 0, 61, "not good yet"}};
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        ctn_str claims = ctn_arena_printf(
            w->arena, "{\"iss\":\"%s\",\"aud\":\"catena\",\"azp\":\"console\",\"exp\":%lld,\"nbf\":%lld,\"iat\":%lld}",
            url, now + TIMES[i].expires, now + TIMES[i].not_before, now + TIMES[i].issued);
        ctn_str token = token_of(w, h, claims.ptr, "ES256", ec);
        if (TIMES[i].why)
            refused(w, token, TIMES[i].why);
        else
            assert_int_equal(judge(w, token), CTN_TOKEN_GOOD);
    }
}

static void a_key_that_is_new_is_fetched_and_one_that_is_gone_is_not_believed(void **state)
{
    world *w = *state;
    open_issuers(w);
    ctn_str old = good_token(w);
    assert_int_equal(judge_at_last(w, old), CTN_TOKEN_GOOD);
    publish(w, w->keys->others, "2");
    ctn_str new = token_of(w, "{\"alg\":\"ES256\",\"kid\":\"e2\"}", payload(w, ""), "ES256", w->keys->others[BY_EC]);
    int asked = w->asked;
    w->now_ms += 11000;
    assert_int_equal(judge(w, new), CTN_TOKEN_LATER);
    assert_int_equal(judge_at_last(w, new), CTN_TOKEN_GOOD);
    assert_int_equal(w->asked, asked + 2);
    assert_int_not_equal(judge(w, old), CTN_TOKEN_GOOD);
}

static void whoever_makes_up_key_ids_makes_us_ask_no_more_than_every_ten_seconds(void **state)
{
    world *w = *state;
    open_issuers(w);
    assert_int_equal(judge_at_last(w, good_token(w)), CTN_TOKEN_GOOD);
    w->now_ms += 11000;
    int asked = w->asked;
    for (int i = 0; i < 100; i++) {
        char header[80];
        (void) snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"x%d\"}", i);
        assert_int_not_equal(judge(w, token_of(w, header, payload(w, ""), "ES256", w->keys->others[BY_EC])),
                             CTN_TOKEN_GOOD);
        run_for(w, 3);
    }
    assert_int_equal(w->asked, asked + 2);
    assert_int_equal(judge(w, good_token(w)), CTN_TOKEN_GOOD);
}

static void keys_outlive_their_issuer_by_a_day(void **state)
{
    world *w = *state;
    open_issuers(w);
    assert_int_equal(judge_at_last(w, good_token(w)), CTN_TOKEN_GOOD);
    w->is_down = true;
    w->now_ms += INT64_C(23) * 3600 * 1000;
    assert_int_equal(judge(w, good_token(w)), CTN_TOKEN_GOOD); /* and it asks for newer ones, in vain */
    run_for(w, 100);
    assert_int_equal(judge(w, good_token(w)), CTN_TOKEN_GOOD);
    w->now_ms += INT64_C(2) * 3600 * 1000;
    assert_int_equal(judge(w, good_token(w)), CTN_TOKEN_LATER);
    run_for(w, 100);
    w->is_down = false;
    w->now_ms += 11000;
    assert_int_equal(judge_at_last(w, good_token(w)), CTN_TOKEN_GOOD);
}

static void a_document_that_names_another_issuer_gives_no_keys(void **state)
{
    world *w = *state;
    (void) snprintf(w->named, sizeof w->named, "https://evil.example.com");
    open_issuers(w);
    run_for(w, 200);
    assert_int_equal(judge(w, good_token(w)), CTN_TOKEN_LATER);
    assert_int_equal(w->asked, 1); /* where that one has its keys was not even asked */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tokens_of_every_kind_of_key_are_taken),
        TEST(what_is_not_signed_as_it_must_be_is_refused),
        TEST(what_is_for_somebody_else_or_not_for_now_is_refused),
        TEST(a_key_that_is_new_is_fetched_and_one_that_is_gone_is_not_believed),
        TEST(whoever_makes_up_key_ids_makes_us_ask_no_more_than_every_ten_seconds),
        TEST(keys_outlive_their_issuer_by_a_day),
        TEST(a_document_that_names_another_issuer_gives_no_keys),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
