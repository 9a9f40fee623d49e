/*
 * trip_question.c -- see trip_question.h. A single question stands by itself, several as a list.
 */
#include "trip/trip_question.h"

enum { MESSAGE_BYTES_MAX = 64 * 1024 };

static const travel_phrase SUBJECT_ONE = {{"A question about your trip", "Una pregunta sobre su viaje",
                                           "Une question sur votre voyage", "Eine Frage zu Ihrer Reise"}};
static const travel_phrase SUBJECT_MANY = {{"A few questions about your trip", "Unas preguntas sobre su viaje",
                                            "Quelques questions sur votre voyage", "Ein paar Fragen zu Ihrer Reise"}};

static const travel_phrase FIRST_ONE = {
    {"Thank you for your message. Before we prepare your proposal we have one question:",
     "Gracias por su mensaje. Antes de preparar su propuesta tenemos una pregunta:",
     "Merci pour votre message. Avant de préparer votre proposition, nous avons une question :",
     "vielen Dank für Ihre Nachricht. Bevor wir Ihr Angebot ausarbeiten, haben wir eine Frage:"}};
static const travel_phrase FIRST_MANY = {
    {"Thank you for your message. So that our proposal fits, could you tell us a little more?",
     "Gracias por su mensaje. Para que nuestra propuesta se ajuste a lo que busca, ¿podría contarnos un poco más?",
     "Merci pour votre message. Pour que notre proposition vous convienne, pourriez-vous nous en dire un peu plus ?",
     "vielen Dank für Ihre Nachricht. Damit unser Angebot zu Ihnen passt, wüssten wir gern noch etwas mehr:"}};
static const travel_phrase AGAIN_ONE = {
    {"Thank you for your answer. One question is still open:", "Gracias por su respuesta. Nos queda una pregunta:",
     "Merci pour votre réponse. Il nous reste une question :",
     "vielen Dank für Ihre Antwort. Eine Frage ist noch offen:"}};
static const travel_phrase AGAIN_MANY = {{"Thank you for your answer. A few questions are still open:",
                                          "Gracias por su respuesta. Nos quedan algunas preguntas:",
                                          "Merci pour votre réponse. Il nous reste quelques questions :",
                                          "vielen Dank für Ihre Antwort. Ein paar Fragen sind noch offen:"}};

static const travel_phrase SHORT_IS_FINE = {
    {"A short answer to this message is enough.", "Basta con una breve respuesta a este mensaje.",
     "Une courte réponse à ce message suffit.", "Eine kurze Antwort auf diese Nachricht genügt."}};

static void put_questions(ctn_buf *out, const ctn_json *questions)
{
    size_t count = ctn_json_count(questions);
    for (size_t i = 0; i < count; i++)
        ctn_buf_printf(out, "%s%.*s\n", count > 1 ? "- " : "",
                       CTN_STR_ARG(ctn_str_trim(ctn_json_text(ctn_json_at(questions, i)))));
}

static void put_signature(ctn_buf *out, const travel_agency *agency)
{
    static const char *const LINES[] = {"signature", "phone", "email", "url"};
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        ctn_str line = travel_agency_text(agency, LINES[i]);
        if (line.len > 0)
            ctn_buf_printf(out, "%.*s\n", CTN_STR_ARG(line));
    }
}

static ctn_str channel_of(const travel_question *q)
{
    bool is_mail = ctn_str_is(q->channel, "email");
    bool is_phone =
        ctn_str_is(q->channel, "sms") || ctn_str_is(q->channel, "whatsapp") || ctn_str_is(q->channel, "phone");
    if ((is_mail && q->email.len > 0) || (is_phone && q->phone.len > 0))
        return q->channel;
    return q->email.len > 0 ? CTN_STR("email") : q->phone.len > 0 ? CTN_STR("phone") : CTN_STR("desk");
}

int travel_question_write(ctn_arena *arena, const travel_question *q, const ctn_json **ret_message, ctn_err *err)
{
    size_t count = ctn_json_count(q->questions);
    if (!ctn_json_is(q->questions, CTN_JSON_ARRAY) || count == 0 || count > TRAVEL_QUESTIONS_MAX)
        return ctn_fail(err, CTN_E_INVALID, "questions must be a list of 1 to %d sentences", TRAVEL_QUESTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *question = ctn_json_at(q->questions, i);
        if (!ctn_json_is(question, CTN_JSON_STRING) || ctn_str_trim(ctn_json_text(question)).len == 0)
            return ctn_fail(err, CTN_E_INVALID, "questions[%zu] must be a sentence", i);
    }
    bool is_one = count == 1;
    const travel_phrase *first =
        q->is_again ? (is_one ? &AGAIN_ONE : &AGAIN_MANY) : (is_one ? &FIRST_ONE : &FIRST_MANY);
    ctn_buf out;
    ctn_buf_init(&out, MESSAGE_BYTES_MAX);
    ctn_buf_printf(&out, "%.*s\n\n%.*s\n\n", CTN_STR_ARG(travel_greeting_shown(arena, q->name, q->language)),
                   CTN_STR_ARG(travel_say(first, q->language)));
    put_questions(&out, q->questions);
    ctn_buf_printf(&out, "\n%.*s\n\n%.*s\n", CTN_STR_ARG(travel_say(&SHORT_IS_FINE, q->language)),
                   CTN_STR_ARG(travel_closing_shown(q->language)));
    put_signature(&out, q->agency);
    int rc = out.overflowed ? ctn_fail(err, CTN_E_LIMIT, "the message would be longer than %d bytes", MESSAGE_BYTES_MAX)
                            : CTN_OK;
    if (!rc) {
        ctn_json_builder message = ctn_json_object(arena);
        ctn_json_put_str(&message, "subject", travel_say(is_one ? &SUBJECT_ONE : &SUBJECT_MANY, q->language));
        ctn_json_put_str(&message, "message", ctn_arena_str(arena, ctn_buf_str(&out)));
        ctn_json_put_str(&message, "channel", channel_of(q));
        *ret_message = ctn_json_finish(&message);
    }
    ctn_buf_done(&out);
    return rc;
}
