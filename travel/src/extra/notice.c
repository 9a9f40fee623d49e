/*
 * notice.c -- see notice.h. In the sentences {place}, {day}, {money}, {before} and {saved} stand for the facts; they
 * are put in once, and what they contain is not looked at again.
 */
#include "extra/notice.h"

#include "base/buf.h"
#include "trip/trip_words.h"

#include <assert.h>

typedef struct letter {
    const char *name;
    bool needs_money;
    travel_phrase subject, body;
} letter;

static const letter LETTERS[TRAVEL_NOTICES] = {
    [TRAVEL_NOTICE_VISA] =
        {.name = "visa",
         .subject = {{"{place}: time to apply for your visa", "{place}: es el momento de pedir su visado",
                      "{place} : pensez à demander votre visa", "{place}: Zeit für Ihren Visumantrag"}},
         .body =
             {{"Your trip ({place}) begins on {day}. If you need a visa or an electronic travel authorisation and do "
               "not have it yet, now is a good time to apply: it can take several weeks.\n\n"
               "Please look at your passport, too. Many countries ask that it be valid for six months beyond the day "
               "you return.\n\n"
               "If you already have what you need, please tell us, and we will not write about it again. And if you "
               "are not sure what you need, ask us: we are glad to help.",

               "Su viaje ({place}) empieza el {day}. Si necesita un visado o una autorización electrónica de viaje y "
               "todavía no los tiene, este es un buen momento para solicitarlos: el trámite puede durar varias "
               "semanas.\n\n"
               "Revise también su pasaporte. Muchos países piden que siga siendo válido seis meses después del "
               "regreso.\n\n"
               "Si ya tiene todo lo necesario, díganoslo y no volveremos a escribirle sobre este asunto. Y si no sabe "
               "con seguridad qué necesita, pregúntenos: le ayudaremos con mucho gusto.",

               "Votre voyage ({place}) commence le {day}. S'il vous faut un visa ou une autorisation de voyage "
               "électronique et que vous ne l'avez pas encore, c'est le bon moment pour en faire la demande : il faut "
               "parfois plusieurs semaines.\n\n"
               "Vérifiez aussi votre passeport. De nombreux pays demandent qu'il soit encore valable six mois après "
               "le retour.\n\n"
               "Si vous avez déjà tout ce qu'il faut, dites-le-nous et nous ne vous écrirons plus à ce sujet. Et si "
               "vous avez un doute, posez-nous la question : nous vous aiderons volontiers.",

               "Ihre Reise ({place}) beginnt am {day}. Falls Sie ein Visum oder eine elektronische Reisegenehmigung "
               "brauchen und noch nicht haben, ist jetzt ein guter Zeitpunkt für den Antrag: Die Bearbeitung kann "
               "mehrere Wochen dauern.\n\n"
               "Bitte sehen Sie auch in Ihren Reisepass. Viele Länder verlangen, dass er noch sechs Monate über die "
               "Rückreise hinaus gültig ist.\n\n"
               "Wenn Sie schon alles haben, sagen Sie uns bitte Bescheid; dann schreiben wir Ihnen dazu nicht noch "
               "einmal. Und wenn Sie nicht sicher sind, was Sie brauchen, fragen Sie uns: Wir helfen Ihnen gern."}}},
    [TRAVEL_NOTICE_VISA_LAST] =
        {.name = "visa_last",
         .subject = {{"{place}: is your visa on its way?", "{place}: ¿ya tiene su visado en trámite?",
                      "{place} : votre visa est-il en route ?", "{place}: Ist Ihr Visum unterwegs?"}},
         .body =
             {{"Your trip ({place}) begins on {day}, and we do not know yet whether your visa or travel authorisation "
               "is arranged. Without it the airline may not let you board.\n\n"
               "Please tell us how things stand. If you have not applied yet, call us today: there is often an "
               "express procedure, and we know who offers it.",

               "Su viaje ({place}) empieza el {day} y todavía no sabemos si ya tiene el visado o la autorización de "
               "viaje. Sin ese documento, la compañía aérea puede denegarle el embarque.\n\n"
               "Díganos, por favor, cómo va el trámite. Si aún no lo ha solicitado, llámenos hoy mismo: a menudo "
               "existe un procedimiento urgente y sabemos quién lo ofrece.",

               "Votre voyage ({place}) commence le {day} et nous ne savons pas encore si vous avez votre visa ou votre "
               "autorisation de voyage. Sans ce document, la compagnie aérienne peut vous refuser l'embarquement.\n\n"
               "Dites-nous, s'il vous plaît, où vous en êtes. Si la demande n'est pas encore faite, appelez-nous dès "
               "aujourd'hui : il existe souvent une procédure express, et nous savons qui la propose.",

               "Ihre Reise ({place}) beginnt am {day}, und wir wissen noch nicht, ob Ihr Visum oder Ihre "
               "Reisegenehmigung vorliegt. Ohne dieses Dokument darf die Fluggesellschaft Sie nicht mitnehmen.\n\n"
               "Bitte sagen Sie uns, wie es steht. Falls Sie den Antrag noch nicht gestellt haben, rufen Sie uns am "
               "besten heute an: Oft gibt es ein Eilverfahren, und wir wissen, wer es anbietet."}}},
    [TRAVEL_NOTICE_PRICE] =
        {.name = "price",
         .needs_money = true,
         .subject = {{"{place}: your flights now cost {money}", "{place}: sus vuelos cuestan ahora {money}",
                      "{place} : vos vols coûtent maintenant {money}", "{place}: Ihre Flüge kosten jetzt {money}"}},
         .body = {{"Good news about your trip ({place}, departure on {day}): the flights for all travellers now cost "
                   "{money}. That is {saved} less than the {before} of last time.\n\n"
                   "Fares change quickly, and this one may be gone tomorrow. Tell us if we should hold it for you.",

                   "Buenas noticias sobre su viaje ({place}, salida el {day}): los vuelos para todos los viajeros "
                   "cuestan ahora {money}. Son {saved} menos que la última vez ({before}).\n\n"
                   "Las tarifas cambian rápido y mañana esta podría no estar disponible. Díganos si desea que se la "
                   "reservemos.",

                   "Bonne nouvelle pour votre voyage ({place}, départ le {day}) : les vols pour tous les voyageurs "
                   "coûtent maintenant {money}. C'est {saved} de moins que la dernière fois ({before}).\n\n"
                   "Les tarifs changent vite, et celui-ci ne sera peut-être plus disponible demain. Dites-nous si nous "
                   "devons le retenir pour vous.",

                   "Gute Nachrichten zu Ihrer Reise ({place}, Abreise am {day}): Die Flüge für alle Reisenden kosten "
                   "jetzt {money}. Das sind {saved} weniger als beim letzten Mal ({before}).\n\n"
                   "Flugpreise ändern sich schnell, und morgen kann dieser schon vergeben sein. Sagen Sie uns, ob wir "
                   "ihn für Sie festhalten sollen."}}},
};

bool travel_notice_kind_from(ctn_str name, travel_notice_kind *ret_kind)
{
    for (int i = 0; i < TRAVEL_NOTICES; i++)
        if (ctn_str_is(name, LETTERS[i].name)) {
            *ret_kind = (travel_notice_kind) i;
            return true;
        }
    return false;
}

bool travel_notice_needs_money(travel_notice_kind kind)
{
    return LETTERS[kind].needs_money;
}

static ctn_str fact_of(ctn_arena *arena, ctn_str name, const travel_notice_facts *f, travel_language language)
{
    if (ctn_str_is(name, "place"))
        return travel_place_in_words(f->place, language);
    if (ctn_str_is(name, "day"))
        return travel_date_shown(arena, f->day, language);
    if (ctn_str_is(name, "money"))
        return travel_money_shown(arena, f->money, f->currency, language);
    if (ctn_str_is(name, "before"))
        return travel_money_shown(arena, f->money_before, f->currency, language);
    assert(ctn_str_is(name, "saved"));
    return travel_money_shown(arena, f->money_before - f->money, f->currency, language);
}

static void put_filled(ctn_arena *arena, ctn_buf *out, const travel_phrase *phrase, const travel_notice_facts *facts,
                       travel_language language)
{
    ctn_str rest = travel_say(phrase, language);
    for (;;) {
        ctn_str before = ctn_str_cut(&rest, '{');
        ctn_buf_append(out, before);
        if (!rest.ptr)
            return;
        ctn_str name = ctn_str_cut(&rest, '}');
        ctn_buf_append(out, fact_of(arena, name, facts, language));
    }
}

travel_notice travel_notice_write(ctn_arena *arena, travel_notice_kind kind, const travel_notice_facts *facts,
                                  travel_language language)
{
    travel_notice notice;
    ctn_buf out;
    ctn_buf_init(&out, 65536);
    put_filled(arena, &out, &LETTERS[kind].subject, facts, language);
    notice.subject = ctn_arena_str(arena, ctn_buf_str(&out));
    out.len = 0;
    ctn_buf_append(&out, travel_greeting_shown(arena, facts->name, language));
    ctn_buf_append_literal(&out, "\n\n");
    put_filled(arena, &out, &LETTERS[kind].body, facts, language);
    ctn_buf_append_literal(&out, "\n\n");
    ctn_buf_append(&out, travel_closing_shown(language));
    ctn_buf_append_char(&out, '\n');
    ctn_buf_append(&out, facts->signature);
    ctn_buf_append_char(&out, '\n');
    notice.message = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return notice;
}
