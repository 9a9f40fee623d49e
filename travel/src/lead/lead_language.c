/*
 * lead_language.c -- which of the four languages the client writes: the one with most of its small words in the text.
 *
 * Only words that the other three do not have count, so one language's "die" or "on" is no evidence for another. What
 * a form's labels say counts only when the client wrote nothing himself.
 */
#include "lead/lead_parts.h"

enum { WORDS_READ_MAX = 4000 };

/* Folded, a blank on either side. */
static const char *const SMALL_WORDS[TRAVEL_LANGUAGES] = {
    [TRAVEL_EN] = " the and of for with we our you your please is are would like from to my have want this that need "
                  "looking hi hello thanks be at it i'm we're can do any each nights people trip ",
    [TRAVEL_ES] = " el los las y con para por somos queremos quiero una uno del nuestro nuestra mi hola gracias "
                  "quisiera buenas buenos desde hasta salida presupuesto personas noches soy llamo viaje ninos "
                  "adultos saludo saludos necesito busco seria hemos destino fechas nombre correo ida vuelta unos ",
    [TRAVEL_FR] = " le les et avec pour nous voudrais voudrions aimerais je vous notre une au aux bonjour merci "
                  "salut coucou bonsoir adultes enfants nuits sommes cherche cherchons chacun est c'est "
                  "moi voyage sejour cordialement ans semaine depuis deja trouve pas ",
    [TRAVEL_DE] =
        " der das und mit fur wir ich ist sind nach von vom bis ab zum zur ein eine einen unser unsere "
        "mochten guten tag hallo bitte danke grusse gruss grussen kinder erwachsene wochen nachte reise urlaub "
        "uns mich pro insgesamt suche suchen haben nicht schon gern gerne anfrage flug abflug nein ",
};

static void count_words(ctn_str text, int counts[TRAVEL_LANGUAGES])
{
    size_t read = 0;
    for (size_t at = 0; at < text.len && read < WORDS_READ_MAX; read++) {
        char word[20];
        size_t len = 0;
        word[len++] = ' ';
        while (at < text.len && ((text.ptr[at] >= 'a' && text.ptr[at] <= 'z') || text.ptr[at] == '\'')) {
            if (len < sizeof word - 2)
                word[len++] = text.ptr[at];
            at++;
        }
        word[len++] = ' ';
        at++;
        if (len < 4)
            continue;
        for (size_t i = 0; i < TRAVEL_LANGUAGES; i++)
            counts[i] += ctn_str_find(ctn_str_from(SMALL_WORDS[i]), (ctn_str){word, len}) != SIZE_MAX;
    }
}

void lead_read_language(lead *l)
{
    int counts[TRAVEL_LANGUAGES] = {0};
    count_words(lead_text_folded(&l->body), counts);
    if (counts[TRAVEL_EN] + counts[TRAVEL_ES] + counts[TRAVEL_FR] + counts[TRAVEL_DE] == 0)
        count_words(lead_text_folded(&l->raw), counts);
    l->language = TRAVEL_EN;
    for (size_t i = 0; i < TRAVEL_LANGUAGES; i++)
        if (counts[i] > counts[l->language])
            l->language = (travel_language) i;
}
