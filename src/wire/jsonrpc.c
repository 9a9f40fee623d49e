/*
 * jsonrpc.c -- messages read and written; see jsonrpc.h.
 *
 * What must hold: whatever bytes come in, parse either gives a message whose every member has the kind that
 * jsonrpc.h promises, or says BROKEN; callers then look at values without asking for their kinds again.
 *
 * Leniency is only where peers in the wild need it: a missing "jsonrpc" member is forgiven, "id": null on an error
 * answer counts as none (legacy MCP servers send it), "params" may be null, and an error without a message has an
 * empty one. Positional params (an array) are not forgiven: MCP never uses them.
 */
#include "wire/jsonrpc.h"

static int broken(ctn_rpc_message *message, int64_t code)
{
    message->kind = CTN_RPC_BROKEN;
    message->error_code = code;
    return CTN_E_INVALID;
}

static bool is_id(const ctn_json *value)
{
    int64_t number;
    if (ctn_json_text(value).len > CTN_RPC_ID_BYTES_MAX)
        return false;
    return ctn_json_is(value, CTN_JSON_STRING) || ctn_json_to_int64(value, &number);
}

/* A request or notification: has a method. */
static int parse_call(const ctn_json *object, const ctn_json *method, const ctn_json *id, ctn_rpc_message *message,
                      ctn_err *err)
{
    if (!ctn_json_is(method, CTN_JSON_STRING) || method->count == 0 || method->count > CTN_RPC_METHOD_BYTES_MAX)
        return ctn_fail(err, broken(message, CTN_RPC_INVALID_REQUEST), "\"method\" must be a name");
    if (id && !message->id)
        return ctn_fail(err, broken(message, CTN_RPC_INVALID_REQUEST), "\"id\" must be a string or an integer, not %s",
                        ctn_json_kind_name(id));
    const ctn_json *params = ctn_json_member_of(object, "params");
    if (params && !ctn_json_is(params, CTN_JSON_OBJECT) && !ctn_json_is(params, CTN_JSON_NULL))
        return ctn_fail(err, broken(message, CTN_RPC_INVALID_REQUEST), "\"params\" must be an object, not %s",
                        ctn_json_kind_name(params));
    message->kind = id ? CTN_RPC_REQUEST : CTN_RPC_NOTIFICATION;
    message->method = ctn_json_text(method);
    message->params = ctn_json_is(params, CTN_JSON_OBJECT) ? params : NULL;
    return CTN_OK;
}

static int parse_error(const ctn_json *error, ctn_rpc_message *message, ctn_err *err)
{
    int64_t code = 0;
    if (!ctn_json_to_int64(ctn_json_member_of(error, "code"), &code))
        return ctn_fail(err, broken(message, CTN_RPC_INVALID_REQUEST),
                        "\"error\" must be an object with an integer \"code\"");
    message->kind = CTN_RPC_ERROR;
    message->error_code = code;
    const ctn_json *text = ctn_json_member_of(error, "message");
    message->error_message = ctn_json_is(text, CTN_JSON_STRING) ? ctn_json_text(text) : (ctn_str){0};
    message->error_data = ctn_json_member_of(error, "data");
    return CTN_OK;
}

int ctn_rpc_parse(ctn_arena *arena, ctn_str line, ctn_rpc_message *ret_message, ctn_err *err)
{
    *ret_message = (ctn_rpc_message){.kind = CTN_RPC_BROKEN};
    const ctn_json *object = NULL;
    int rc = ctn_json_parse(arena, line, &(ctn_json_options){.bytes_max = CTN_RPC_LINE_BYTES_MAX}, &object, err);
    if (rc) {
        (void) broken(ret_message, CTN_RPC_PARSE_ERROR);
        return ctn_wrap(err, rc, "not JSON");
    }
    if (!ctn_json_is(object, CTN_JSON_OBJECT))
        return ctn_fail(err, broken(ret_message, CTN_RPC_INVALID_REQUEST), "a message must be an object, not %s",
                        ctn_json_kind_name(object));
    const ctn_json *id = ctn_json_member_of(object, "id");
    if (is_id(id))
        ret_message->id = id;
    const ctn_json *version = ctn_json_member_of(object, "jsonrpc");
    if (version && !(ctn_json_is(version, CTN_JSON_STRING) && ctn_str_is(ctn_json_text(version), "2.0")))
        return ctn_fail(err, broken(ret_message, CTN_RPC_INVALID_REQUEST), "\"jsonrpc\" must be \"2.0\"");
    const ctn_json *method = ctn_json_member_of(object, "method");
    if (method)
        return parse_call(object, method, id, ret_message, err);
    const ctn_json *error = ctn_json_member_of(object, "error");
    if (error && !ctn_json_is(error, CTN_JSON_NULL)) {
        if (id && !ret_message->id && !ctn_json_is(id, CTN_JSON_NULL))
            return ctn_fail(err, broken(ret_message, CTN_RPC_INVALID_REQUEST), "\"id\" must be a string or an integer");
        return parse_error(error, ret_message, err);
    }
    const ctn_json *result = ctn_json_member_of(object, "result");
    if (!result)
        return ctn_fail(err, broken(ret_message, CTN_RPC_INVALID_REQUEST),
                        "a message needs \"method\", \"result\" or \"error\"");
    if (!ret_message->id)
        return ctn_fail(err, broken(ret_message, CTN_RPC_INVALID_REQUEST),
                        "a result needs an \"id\" that is a string or an integer");
    ret_message->kind = CTN_RPC_RESULT;
    ret_message->result = result;
    return CTN_OK;
}

/* ---- writing ---- */

/* Ends the line that began at `start`, or takes it back if it did not fit. */
static void end_line(ctn_buf *out, size_t start)
{
    ctn_buf_append_literal(out, "}\n");
    if (out->overflowed)
        out->len = start;
}

/* value NULL: it is left out. */
static void write_member(ctn_buf *out, ctn_str before, const ctn_json *value)
{
    if (!value)
        return;
    ctn_buf_append(out, before);
    ctn_json_write(out, value);
}

static void write_method(ctn_buf *out, const char *method, const ctn_json *params)
{
    ctn_buf_append_literal(out, ",\"method\":");
    ctn_json_write_string(out, ctn_str_from(method));
    write_member(out, CTN_STR(",\"params\":"), params);
}

void ctn_rpc_write_request(ctn_buf *out, int64_t id, const char *method, const ctn_json *params)
{
    size_t start = out->len;
    ctn_buf_append_literal(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    ctn_buf_append_int64(out, id);
    write_method(out, method, params);
    end_line(out, start);
}

void ctn_rpc_write_notification(ctn_buf *out, const char *method, const ctn_json *params)
{
    size_t start = out->len;
    ctn_buf_append_literal(out, "{\"jsonrpc\":\"2.0\"");
    write_method(out, method, params);
    end_line(out, start);
}

void ctn_rpc_write_result(ctn_buf *out, const ctn_json *id, const ctn_json *result)
{
    size_t start = out->len;
    ctn_buf_append_literal(out, "{\"jsonrpc\":\"2.0\"");
    write_member(out, CTN_STR(",\"id\":"), id);
    ctn_buf_append_literal(out, ",\"result\":");
    ctn_json_write(out, result);
    end_line(out, start);
}

void ctn_rpc_write_error(ctn_buf *out, const ctn_json *id, int64_t code, ctn_str message, const ctn_json *data)
{
    size_t start = out->len;
    ctn_buf_append_literal(out, "{\"jsonrpc\":\"2.0\"");
    write_member(out, CTN_STR(",\"id\":"), id);
    ctn_buf_append_literal(out, ",\"error\":{\"code\":");
    ctn_buf_append_int64(out, code);
    ctn_buf_append_literal(out, ",\"message\":");
    ctn_json_write_string(out, message);
    write_member(out, CTN_STR(",\"data\":"), data);
    ctn_buf_append_char(out, '}');
    end_line(out, start);
}
