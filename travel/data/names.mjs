// names.mjs -- how a name is compared and shortened. The reader of leads folds its text by the same rule (places.c).

const PLAIN = {ø: 'o', ł: 'l', đ: 'd', ı: 'i', æ: 'ae', œ: 'oe', þ: 'th', ð: 'd', ß: 'ss'};

// Lower case, accents off, everything but letters and digits one blank: "Côte d'Azur" is "cote d azur".
export function fold(text) {
    return text.toLowerCase().replace(/[øłđıæœþðß]/g, c => PLAIN[c]).normalize('NFKD').replace(/\p{M}/gu, '')
        .replace(/[^a-z0-9]+/g, ' ').trim();
}

const GENERIC = [
    /^(?:the )?(?:autonome (?:gemeinschaft|region)|provincia d[e']l?a?|province d[eu']s?(?: la| l')?|provinz|provincia|comunidad (?:autónoma|foral) de(?: la)?|comunidad|distrito de(?:l| la)?|district d[eu']|distrikt|departamento de(?:l| la)?|département d[eu](?: la| l')?|departement|department of|departments? of|región de(?:l| la)?|région d[eu'](?: la| l')?|region|kanton|canton of|canton d[eu'](?: la)?|cantón de(?:l| la)?|condado de|comté d[eu']|comté|county|estado de(?:l| la)?|état d[eu'](?: l'| la)?|periferia de|principado de|principality of|isla de|gobernación de(?:l| la)?|gouvernement|gouvernorat d[eu'](?: la)?|governorate of|municipio de|municipality of|verwaltungsregion|präfektur|prefectura de|préfecture d[eu'](?: la)?|oblast|óblast de|województwo|woiwodschaft|voivodato de|voïvodie d[eu'](?: la)?|state of|special region of|special capital region of|autonomous region of) +/i,
    / (?:province|region|county|governorate|district|prefecture|oblast|voivodeship|canton|department|state|municipality|parish|emirate|division|territory capital region|administrative region|metropolitan area|autonomous region|periphery|krai|kray|community|metropolis|principality)$/i,
    / \((?:periphérie|périphérie|provincia|departamento|province|district|region|state|estado|county|insel|[^)]*)\)$/i];

// "Provincia de Las Palmas" -> "Las Palmas". Left alone when nothing would be left.
export function withoutGeneric(name) {
    for (const pattern of GENERIC) {
        const left = name.replace(pattern, '');
        if (left.length > 2)
            name = left;
    }
    return name;
}

// What people write for a long name: "Sankt Anton am Arlberg" -> "St Anton", "Chamonix-Mont-Blanc" -> "Chamonix".
export function shortForms(name) {
    const forms = new Set();
    if (/^Koh? /.test(name))
        forms.add(name.startsWith('Koh ') ? name.replace('Koh ', 'Ko ') : name.replace('Ko ', 'Koh '));
    const holy = name.replace(/^(Sankt|Saint|Sainte) /, (_, s) => s === 'Sainte' ? 'Ste ' : 'St ').replace(/^(Saint|Sainte)-/, 'St ')
        .replace(/-/g, (d, at, s) => /^St /.test(s) ? ' ' : d);
    if (holy !== name)
        forms.add(holy);
    for (const whole of [name, holy]) {
        const head = whole.match(/^(.{4,}?)(?: (?:am|an der|im|in der|bei|ob|upon|on|under|sur|de la|del|do|da|a|di|by the) .*|-(?:les|sur|en|au|aux|sous|Mont|la|le|l'|d'|des|du|de)-?.*)$/);
        if (head && head[1] !== name && !/^(San|Santa|Saint|Sankt|Villa|Puerto|Playa|Costa|Castello|Monte|Ville|Vila|Villanueva|Villar|Torre|Città|Port|Bourg|Mont|Ciudad)$/.test(head[1]))
            forms.add(head[1]);
    }
    return forms;
}

// "München" is also typed "Muenchen".
export function umlautForm(name) {
    return name.replace(/[äöüÄÖÜ]/g, c => ({ä: 'ae', ö: 'oe', ü: 'ue', Ä: 'Ae', Ö: 'Oe', Ü: 'Ue'}[c]));
}
