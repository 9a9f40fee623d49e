/*
 * config_models.c -- see config_models.h.
 */
#include "host/config_models.h"
#include "host/config_where.h"
#include "host/prices.h"
#include "host/words.h"
#include "value/decimal.h"
#include "wire/mcp_http.h"

#define HEADERS_MAX 16

typedef struct model_keys {
    int api, structured;
    const ctn_json *url, *key, *model, *headers, *price, *ca_file, *proxy;
    int64_t tokens_max;
    ctn_said allows_private, allows_cleartext;
} model_keys;

static const char *const APIS[] = {"openai", "anthropic", NULL}; /* as ctn_chat_api, from 1 */
static const char *const URLS[] = {"https://api.openai.com/v1", "https://api.anthropic.com"};
static const char *const STRUCTURED[] = {"native", "told", NULL};
enum { STRUCTURED_TOLD = 2 }; /* as a key of words says it */

static const ctn_key KEYS[] = {
    CTN_KEY("api", CTN_KEY_WORD, model_keys, api,
            "What the server speaks: openai (chat completions, as nearly every local server does) or anthropic "
            "(messages).",
            .words = APIS, .is_required = true),
    CTN_KEY("url", CTN_KEY_NAME, model_keys, url,
            "Where it is, without /chat/completions or /v1/messages. Default: that of OpenAI or Anthropic."),
    CTN_KEY("key", CTN_KEY_ANY, model_keys, key, "Where its key is; read anew for each call. Default: none is sent."),
    CTN_KEY("model", CTN_KEY_NAME, model_keys, model, "What the server calls it. Default: its name here."),
    CTN_KEY("maxTokens", CTN_KEY_INT, model_keys, tokens_max,
            "How long an answer may be when the prompt does not say. Default: 4096.", .min = 1,
            .max = CTN_PROMPT_TOKENS_MAX),
    CTN_KEY("structured", CTN_KEY_WORD, model_keys, structured,
            "How the server learns of a schema: native (it is given it, default), or told (it stands in the "
            "instructions, for servers that take none).",
            .words = STRUCTURED),
    CTN_KEY("price", CTN_KEY_OBJECT, model_keys, price,
            "What it costs. Default: as the price table has it for `model`."),
    CTN_KEY("headers", CTN_KEY_OBJECT, model_keys, headers, "Headers that are sent to it besides; no secrets.",
            .is_confidential = true),
    CTN_KEY("caFile", CTN_KEY_NAME, model_keys, ca_file,
            "Certificates (PEM) that its own is believed by. Default: the system's."),
    CTN_KEY("proxy", CTN_KEY_TEXT, model_keys, proxy,
            "The proxy to it; empty: none. Default: as http_proxy, https_proxy and no_proxy say."),
    CTN_KEY("allowPrivate", CTN_KEY_BOOL, model_keys, allows_private, "It may be in a private network."),
    CTN_KEY("allowCleartext", CTN_KEY_BOOL, model_keys, allows_cleartext, "It may be spoken to without TLS."),
};
const ctn_key_table ctn_config_model_table = {"model", KEYS, sizeof KEYS / sizeof *KEYS, "A language model."};

typedef struct price_keys {
    const ctn_json *input, *output, *cached;
} price_keys;
static const ctn_key PRICE_KEYS[] = {
    CTN_KEY("input", CTN_KEY_ANY, price_keys, input, "Of a million tokens that are sent.", .is_required = true),
    CTN_KEY("output", CTN_KEY_ANY, price_keys, output, "Of a million tokens of answers.", .is_required = true),
    CTN_KEY("cachedInput", CTN_KEY_ANY, price_keys, cached,
            "Of a million tokens that are sent and that the server had in its cache. Default: as input."),
};
const ctn_key_table ctn_config_price_table = {"price", PRICE_KEYS, sizeof PRICE_KEYS / sizeof *PRICE_KEYS,
                                              "Of a million tokens; in one currency for all models."};

static ctn_str read_amount(ctn_reader *r, const ctn_json *value)
{
    ctn_decimal d;
    if (!value)
        return (ctn_str){0};
    ctn_decimal_init(&d);
    bool is_good = ctn_json_is(value, CTN_JSON_NUMBER) && ctn_json_text(value).ptr[0] != '-' &&
                   ctn_decimal_parse(&d, ctn_json_text(value));
    ctn_decimal_done(&d);
    if (!is_good)
        ctn_reader_fault(r, value, "type", "a price is a number that is not negative, like 2.50");
    return is_good ? ctn_json_text(value) : (ctn_str){0};
}

static ctn_prompt_price read_price(ctn_reader *r, const ctn_json *node)
{
    price_keys k = {0};
    ctn_keys_read(r, node, "a price", PRICE_KEYS, sizeof PRICE_KEYS / sizeof *PRICE_KEYS, &k);
    return (ctn_prompt_price){
        .input = read_amount(r, k.input), .output = read_amount(r, k.output), .cached = read_amount(r, k.cached)};
}

static void read_headers(ctn_reader *r, const ctn_json *object, ctn_config_model *m)
{
    size_t count = ctn_json_count(object);
    ctn_http_header *headers = CTN_NEW_ARRAY(r->arena, ctn_http_header, count);
    if (count > HEADERS_MAX)
        ctn_reader_fault(r, object, "range", "at most %d headers are sent", HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *key = &object->members[i].key, *value = &object->members[i].value;
        ctn_str name = ctn_json_text(key);
        if (!ctn_mcp_header_is_name(name))
            ctn_reader_fault(r, key, "type", "'%.*s' cannot be the name of a header", CTN_STR_ARG(name));
        else if (!ctn_json_is(value, CTN_JSON_STRING) || ctn_str_find_control(ctn_json_text(value)) != SIZE_MAX)
            ctn_reader_fault(r, value, "type", "a header is a text of one line");
        else if (ctn_str_find(ctn_json_text(value), CTN_STR("{secret.")) != SIZE_MAX)
            ctn_reader_fault(r, value, "type", "a secret of a model is its `key`: {env: NAME} or {file: PATH}");
        else
            headers[m->header_count++] = (ctn_http_header){.name = name, .value = ctn_json_text(value)};
    }
    m->headers = headers;
}

static ctn_str read_url(ctn_reader *r, const model_keys *k)
{
    const char *otherwise = URLS[k->api - 1];
    ctn_str url = k->url ? ctn_json_text(k->url) : ctn_str_from(otherwise), origin;
    ctn_err err = {0};
    if (k->url && ctn_url_origin(r->arena, url, &origin, &err))
        ctn_reader_fault(r, k->url, "type", "%s", err.message);
    while (ctn_str_ends_with(url, CTN_STR("/")))
        url.len--;
    return ctn_arena_printf(r->arena, "%.*s%s", CTN_STR_ARG(url), ctn_chat_path((ctn_chat_api) (k->api - 1)));
}

static void read_model(ctn_reader *r, const ctn_json_member *member, ctn_config *c)
{
    model_keys k = {0};
    if (!ctn_json_is(&member->value, CTN_JSON_OBJECT)) {
        ctn_reader_fault(r, &member->value, "type",
                         "a model is an object, like {api: anthropic, key: {env: ANTHROPIC_API_KEY}, model: ...}");
        return;
    }
    size_t faults = r->fault_count;
    ctn_keys_read(r, &member->value, "a model", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    if (r->fault_count > faults)
        return;
    ctn_config_model *m = &c->models[c->model_count];
    *m = (ctn_config_model){.name = ctn_json_text(&member->key)};
    m->driver = (ctn_prompt_model){
        .name = m->name,
        .api = (ctn_chat_api) (k.api - 1),
        .url = read_url(r, &k),
        .model = k.model ? ctn_json_text(k.model) : m->name,
        .tokens_max = k.tokens_max,
        .takes_no_schema = k.structured == STRUCTURED_TOLD,
        .policy = {.allows_private = k.allows_private == CTN_SAID_TRUE,
                   .allows_cleartext = k.allows_cleartext == CTN_SAID_TRUE},
    };
    m->driver.has_new_limit = ctn_str_starts_with(m->driver.url, CTN_STR("https://api.openai.com/"));
    m->driver.price = k.price ? read_price(r, k.price) : ctn_price_of(m->driver.model);
    if (k.ca_file)
        m->driver.policy.ca_file =
            ctn_arena_str(r->arena, ctn_path_join(r->arena, c->folder, ctn_json_text(k.ca_file))).ptr;
    if (k.proxy)
        m->driver.policy.proxy = ctn_arena_str(r->arena, ctn_json_text(k.proxy)).ptr;
    m->has_key = k.key && ctn_config_where_read(r, k.key, "the key of a model", c->folder, &m->key);
    read_headers(r, k.headers, m);
    if (r->fault_count == faults)
        c->model_count++;
}

void ctn_config_models_read(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    c->models = CTN_NEW_ARRAY(r->arena, ctn_config_model, ctn_json_count(node));
    for (size_t i = 0; i < ctn_json_count(node); i++)
        read_model(r, &node->members[i], c);
}

const ctn_config_model *ctn_config_model_of(const ctn_config *config, ctn_str name)
{
    for (size_t i = 0; i < config->model_count; i++)
        if (ctn_str_equal(config->models[i].name, name))
            return &config->models[i];
    return NULL;
}

ctn_str ctn_config_suggest_model(const ctn_config *config, ctn_arena *arena, ctn_str name)
{
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, config->model_count);
    for (size_t i = 0; i < config->model_count; i++)
        names[i] = config->models[i].name;
    return ctn_words_suggest(arena, name, names, config->model_count);
}

bool ctn_config_has_model(void *ctx, ctn_arena *arena, ctn_str name, ctn_str *ret_advice)
{
    const ctn_config *config = ctx;
    if (ctn_config_model_of(config, name))
        return true;
    *ret_advice = ctn_config_suggest_model(config, arena, name);
    return false;
}
