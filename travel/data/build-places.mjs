// build-places.mjs NPM DEBIAN VOCABULARY OUT -- makes OUT.c and OUT.bin, the tables of places, airports and
// airlines, and OUT.licences.txt, what their sources want to be told with them.
//
// The packages are read by sources.mjs; docs/data.md tells which, under which licences, and what is changed. The order
// matters: what comes first is what later sources join (a region of CLDR and the island of WordNet by the same name
// become one place). The same packages give the same bytes.
import {readFileSync, writeFileSync} from 'node:fs';
import {Sources, LANGUAGES} from './sources.mjs';
import {fold, withoutGeneric, shortForms, umlautForm} from './names.mjs';
import {writeTables} from './write-tables.mjs';

const KIND = {world: 0, country: 1, region: 2, island: 3, park: 4, sight: 5, city: 6};
const SMALL = 1000, NAMES_MAX = 12; // people; alternate names that make a village known
const [npm, debian, vocabularyPath, out] = process.argv.slice(2);
const sources = new Sources(npm, debian);

const places = [];
const byName = new Map(); // folded English name -> places

function addPlace(place) {
    const p = {shown: {}, names: new Set(), within: new Set(), latitude: null, longitude: null, population: 0, zone: '',
        airport: '', prominence: 0, country: null, isQuiet: false, ...place};
    p.names = new Set(place.names ?? []);
    places.push(p);
    const key = fold(p.name);
    byName.set(key, [...(byName.get(key) ?? []), p]);
    return p;
}

function find(name, country, accept = () => true) {
    return (byName.get(fold(name)) ?? []).find(p => (!country || p === country || p.country === country) && accept(p));
}

const isArea = p => p.kind !== KIND.city;

// ---- the world, its parts, its countries (CLDR) ----

const territory = Object.fromEntries(LANGUAGES.map(l => [l, sources.territories(l)]));
const countries = new Map(), parts = new Map();

// "Hong Kong SAR China" is Hong Kong, "Türkiye" is written Turkey in English, "Myanmar (Burma)" is Myanmar.
function commonName(language, code) {
    const names = territory[language], whole = names[code];
    const short = names[`${code}-alt-short`], variant = names[`${code}-alt-variant`];
    if (short && short.length > 4 && !short.includes('.'))
        return short;
    if (language === 'en' && (code === 'TR' || code === 'CI'))
        return variant; // what is still the commoner one
    return whole?.replace(/ \(.*\)$/, '').replace(' & ', ' and ').replace(/^St\. /, 'St ').replace(/’/g, "'");
}

function territoryNames(code) {
    const names = [];
    for (const language of LANGUAGES)
        for (const suffix of ['', '-alt-short', '-alt-variant'])
            if (territory[language][code + suffix])
                names.push(...territory[language][code + suffix].split(/ \(|\)/).filter(Boolean));
    for (const language of LANGUAGES)
        names.push(commonName(language, code));
    return names.flatMap(n => n.includes('&') ? [n.replace('&', 'and'), n.replace('&', '')] : [n]);
}

function addWorld() {
    const facts = sources.countryFacts();
    for (const code of Object.keys(territory.en)) {
        const isCountry = /^[A-Z]{2}$/.test(code) && (facts.has(code) || code === 'IC');
        if (!isCountry && (!/^\d{3}$/.test(code) || code === '001'))
            continue;
        const shown = Object.fromEntries(LANGUAGES.map(l => [l, commonName(l, code)]));
        const fact = facts.get(code);
        const p = addPlace({
            name: shown.en, kind: isCountry ? (code === 'IC' ? KIND.island : KIND.country) : KIND.world, shown,
            names: territoryNames(code), prominence: isCountry ? 150 : 90, code: isCountry && code !== 'IC' ? code : '',
            currency: fact?.currency ?? '', language: fact?.language ?? '', population: fact?.population ?? 0});
        (isCountry ? countries : parts).set(code, p);
        if (isCountry)
            p.country = p;
    }
    countries.get('IC').within.add(countries.get('ES'));
    countries.get('IC').country = countries.get('ES');
    for (const [code, {_contains: inner}] of Object.entries(sources.territoryParts()))
        for (const part of inner) {
            const outer = parts.get(code.slice(0, 3)), p = countries.get(part) ?? parts.get(part);
            if (outer && p)
                p.within.add(outer);
        }
}

// ---- regions (CLDR, ISO 3166-2) ----

const regions = new Map(); // "esib" -> place

function addRegions() {
    const names = Object.fromEntries(LANGUAGES.map(l => [l, sources.subdivisions(l)]));
    const parents = sources.subdivisionParents();
    for (const [code, english] of Object.entries(names.en)) {
        const country = countries.get(code.slice(0, 2).toUpperCase());
        if (!country || /[0-9]{3,}$/.test(english))
            continue;
        const name = withoutGeneric(english);
        const same = find(name, country, p => p.kind === KIND.region || p === country);
        if (same) { // a region and a part of it by one name, or a country in one piece
            regions.set(code, same);
            continue;
        }
        const shown = {}, spelled = [];
        for (const language of LANGUAGES)
            if (names[language][code]) {
                shown[language] = withoutGeneric(names[language][code]);
                spelled.push(names[language][code], shown[language]);
            }
        const isFirst = parents.get(code) === code.slice(0, 2).toUpperCase();
        const p = addPlace({name, kind: KIND.region, shown, names: spelled, country, prominence: isFirst ? 62 : 52});
        p.within.add(country);
        regions.set(code, p);
    }
    for (const [inner, outer] of parents)
        if (regions.has(inner) && regions.has(outer) && regions.get(inner) !== regions.get(outer))
            regions.get(inner).within.add(regions.get(outer));
}

// ---- towns (GeoNames) ----

const cities = [];

function addCities() {
    const called = Object.fromEntries(LANGUAGES.map(l => [l, sources.cityNames(l)]));
    const codes = sources.regionCodes();
    for (const c of sources.cities()) {
        const country = countries.get(c.country);
        const others = c.others.filter(n => n.length > 2).length;
        if (!country || /^PPL[XQHW]/.test(c.kind) || (c.population < SMALL && others < NAMES_MAX))
            continue;
        const local = called.en.get(c.id) || c.name;
        const name = /[\u0180-\uffff]/.test(local) && c.ascii ? c.ascii : local; // English writes Hue, not Huế
        const shown = Object.fromEntries(LANGUAGES.map(l => [l, called[l].get(c.id)]).filter(([, n]) => n));
        const prominence = Math.round(10 * Math.log10(c.population + 10) + Math.min(others, 60) * 0.7 + (c.kind === 'PPLC' ? 10 : 0));
        const p = addPlace({
            name, kind: KIND.city, shown, names: [c.name, c.ascii, ...Object.values(shown)], country, prominence,
            latitude: c.latitude, longitude: c.longitude, population: c.population, zone: c.zone});
        p.others = c.others;
        p.within.add(country);
        for (const code of [`${c.country}.${c.admin1}`, `${c.country}.${c.admin1}.${c.admin2}`]) {
            const region = codes.has(code) && find(withoutGeneric(codes.get(code)), country, q => q.kind === KIND.region);
            if (region)
                p.within.add(region);
        }
        cities.push(p);
    }
}

// A region lies where its towns are; a country where its greatest one is.
function placeRegions() {
    const greatest = new Map();
    for (const c of cities)
        for (const outer of c.within)
            if (!greatest.has(outer) || greatest.get(outer).population < c.population)
                greatest.set(outer, c);
    for (const [outer, c] of greatest)
        if (outer.latitude === null)
            Object.assign(outer, {latitude: c.latitude, longitude: c.longitude, zone: c.zone});
}

// ---- islands, ranges, parks, coasts, sites (WordNet) ----

const WORDNET_KINDS = [
    [/^(island|archipelago|atoll|isle)$/, KIND.island], [/^(national park|park)$/, KIND.park],
    [/^(city|town|municipality|national capital|state capital|provincial capital|port|village|borough|capital|resort city|resort)$/, KIND.city],
    [/^(country|state|American state|province|district|region|geographical area|geographic area|peninsula|range|mountain range|massif|mountain|hill|plain|desert|lake|river|valley|sea|gulf|bay|fjord|reef|coral reef|cape|canyon|plateau|waterfall|coast|seashore|volcano|wilderness|inlet|loch|oasis)$/, KIND.region],
    [/^(ruin|memorial|structure|building|geological formation|site)$/, KIND.sight]];

const PLAIN_TAIL = / (Islands|National Park|Hills|Plain|Desert)$/; // what people leave away

function addWordNet() {
    const {nouns, words} = sources.wordNet();
    const kindOf = id => {
        for (const seen = new Set(); id && !seen.has(id);) {
            seen.add(id);
            const noun = nouns.get(id);
            for (const [pattern, kind] of WORDNET_KINDS)
                if (noun?.lemmas.some(l => pattern.test(l)))
                    return kind;
            id = noun?.pointers.find(([type]) => type === '@')?.[1];
        }
        return null;
    };
    const isProper = l => /^[A-Z]/.test(l) && !/[.]/.test(l) && l.length > 3 && l !== l.toUpperCase() &&
        !/^(Capital|Republic|Kingdom|Commonwealth|State) of |capital$| State$/.test(l);
    const nations = new Map(); // by any name, countries and parts of the world
    for (const p of [...parts.values(), ...countries.values()])
        for (const n of p.names)
            nations.set(fold(n), p);
    const known = new Map(); // synset -> place
    const entries = [];
    for (const [id, noun] of nouns) {
        const instance = noun.pointers.find(([type]) => type === '@i');
        if ((noun.field !== '15' && noun.field !== '17') || !instance)
            continue;
        const kind = kindOf(instance[1]), lemmas = noun.lemmas.filter(isProper);
        if (kind !== null && lemmas.length > 0)
            entries.push({id, kind, lemmas, outer: noun.pointers.filter(([t]) => t === '#p' || t === '#m').map(([, to]) => to)});
    }
    const countryOf = (entry, depth) => {
        for (const id of entry.outer) {
            const outer = nouns.get(id);
            const country = outer?.lemmas.map(l => find(l, null, p => p.kind === KIND.country)).find(Boolean);
            if (country)
                return country;
            const up = outer && depth < 6 && countryOf({outer: outer.pointers.filter(([t]) => t === '#p').map(([, to]) => to)}, depth + 1);
            if (up)
                return up;
        }
        return null;
    };
    for (const entry of entries) {
        const {id, kind, lemmas} = entry;
        const country = countryOf(entry, 0);
        const nation = lemmas.map(l => nations.get(fold(l))).find(Boolean);
        if (nation) { // CLDR has better names for it ("Zion" is Israel to WordNet)
            known.set(id, nation);
            continue;
        }
        let p = null;
        p ??= country && lemmas.map(l => find(l, country, q => kind === KIND.city ? q.kind === KIND.city : isArea(q) && q !== country)).find(Boolean);
        if (!p && !country && kind !== KIND.city) // an island of the Mediterranean, say
            p = lemmas.map(l => find(l, null, q => isArea(q) && q.kind !== KIND.country)).find(Boolean);
        if (!p && kind === KIND.city && country) { // Bangalore is Bengaluru
            p = cities.filter(c => c.country === country && c.prominence >= 80 && lemmas.some(l => c.others.includes(l)))
                .sort((a, b) => b.prominence - a.prominence)[0];
        }
        if (!p && kind === KIND.city)
            continue; // an ancient town, or a name that GeoNames spells otherwise
        if (!p) {
            const twin = country && find(lemmas[0], country);
            p = addPlace({name: lemmas[0].replace(/^(Isle|Island) of /, 'Isle of '), kind, country, prominence: 72,
                latitude: twin?.latitude ?? null, longitude: twin?.longitude ?? null});
            if (country)
                p.within.add(country);
        } else if (isArea(p)) { // in both: well known
            p.prominence = Math.max(p.prominence, 78);
            if (kind === KIND.island)
                p.kind = KIND.island;
        }
        for (const lemma of lemmas)
            p.names.add(lemma);
        for (const lemma of lemmas)
            if (PLAIN_TAIL.test(lemma) && isArea(p))
                p.names.add(lemma.replace(PLAIN_TAIL, ''));
        known.set(id, p);
    }
    for (const entry of entries)
        for (const outer of entry.outer) {
            const p = known.get(entry.id), q = known.get(outer);
            if (p && q && p !== q && !q.within.has(p))
                p.within.add(q);
        }
    return words;
}

// ---- what no package has (vocabulary.txt) ----

const townCalled = (name, country) => (byName.get(fold(name)) ?? [])
    .filter(p => p.kind === KIND.city && p.country === country).sort((a, b) => b.population - a.population)[0];

function readVocabulary() {
    const lists = {};
    for (const raw of readFileSync(vocabularyPath, 'utf8').split('\n')) {
        const line = raw.replace(/(^|\s)#.*/, '').trim();
        if (!line)
            continue;
        const list = line.match(/^([a-z ]+): (.*)$/);
        if (list) {
            lists[list[1]] = [...(lists[list[1]] ?? []), ...list[2].split(/ *, */)];
            continue;
        }
        const [name, kind, within, airport, others] = line.split('|').map(s => s.trim());
        const outer = within.split(/ *; */).filter(Boolean).map(n => find(n, null, isArea) ?? find(n));
        if (!(kind in KIND) || outer.includes(undefined))
            throw new Error(`${vocabularyPath}: what kind, or which outer place, is meant by "${line}"?`);
        const country = outer.map(o => o.kind === KIND.country ? o : o.country).find(Boolean) ?? null;
        const names = others ? others.split(/ *; */) : [];
        let p = kind === 'country' ? find(name, null, q => q.kind === KIND.country) : kind === 'city' ? [name, ...names].map(n => townCalled(n, country)).find(Boolean)
            : [name, ...names].map(n => find(n.replace(/^(es|fr|de) /, ''), country, q => isArea(q) && q.kind !== KIND.country)).find(Boolean);
        if (kind === 'city' || kind === 'country') {
            p.names.add(p.name);
            p.name = name;
            names.forEach(n => p.names.add(n.replace(/^(es|fr|de) /, '')));
            p.airport = airport;
            continue;
        }
        for (const n of [name, ...names]) { // one island may be a region of CLDR and two entries of WordNet
            const twin = find(n.replace(/^(es|fr|de) /, ''), country, q => isArea(q) && q.kind !== KIND.country && q !== p);
            if (twin && p)
                twin.isQuiet = true;
        }
        if (p) {
            p.name = name;
            p.kind = Math.max(p.kind, KIND[kind]);
            byName.set(fold(name), [...(byName.get(fold(name)) ?? []), p]);
        } else
            p = addPlace({name, kind: KIND[kind], country});
        p.prominence = 85;
        p.airport = airport || p.airport;
        outer.forEach(o => p.within.add(o));
        for (const n of names) {
            const [, language, spelled] = n.match(/^(?:(es|fr|de) )?(.*)$/);
            if (language)
                p.shown[language] = spelled;
            p.names.add(spelled);
        }
    }
    return lists;
}

// ---- airports ----

const GENERIC_AIRPORT = /\b(international|intl|airport|aéroport|aeropuerto|aeroporto|flughafen|airfield|aerodrome|regional|municipal|national|domestic|airbase|air base|field|terminal|the|of|de|d)\b/gi;
const kilometres = (a, b) => {
    const rad = Math.PI / 180, x = (b.longitude - a.longitude) * rad * Math.cos((a.latitude + b.latitude) / 2 * rad);
    const wide = Math.abs(x) > Math.PI ? 2 * Math.PI * Math.cos((a.latitude + b.latitude) / 2 * rad) - Math.abs(x) : x;
    return 6371 * Math.hypot(wide, (b.latitude - a.latitude) * rad);
};

function addAirports(lists) {
    let airports = sources.airports().sort((a, b) => a.code < b.code ? -1 : 1);
    const named = new Map(); // every name of a town -> towns
    for (const c of cities)
        for (const n of new Set([c.name, ...c.names].map(fold)))
            named.set(n, [...(named.get(n) ?? []), c]);
    const townOf = (a, text) => (named.get(fold(text)) ?? [])
        .filter(c => c.country === countries.get(a.country) && kilometres(a, c) < 130).sort((x, y) => y.prominence - x.prominence)[0];
    for (const a of airports) {
        const country = countries.get(a.country);
        const bare = a.names.map(n => n.replace(/ \(.*/, '').replace(/\b(South|North|Sur|Norte|Island)\b/g, '').replace(GENERIC_AIRPORT, '').trim());
        // named for an island or a region it serves: that; else the town that OpenTravelData says it serves
        const area = bare.map(n => find(n, country, p => (p.kind === KIND.island || p.prominence === 85) && isArea(p))).find(Boolean);
        const first = [a.city, a.municipality].flatMap(n => [n, n.split(/[-/–(,]| and /)[0].trim()]);
        const islandName = [a.city, a.municipality].map(n => n.match(/^(?:Ko |Koh )?(.*?) Island$/)?.[0].replace(/ Island$/, '')).find(Boolean);
        const island = islandName && !townOf(a, islandName) &&
            (find(islandName, country, isArea) ?? addPlace({name: islandName, kind: KIND.island, country, prominence: 70}));
        if (island && country)
            island.within.add(country);
        a.place = area ?? (island || null) ?? first.map(n => townOf(a, n)).find(Boolean) ??
            [a.city, a.municipality.replace(/ Island$/, '')].map(n => find(n, country, p => p.kind === KIND.island)).find(Boolean) ??
            bare.map(n => townOf(a, n.split(/[-/– ]/)[0])).find(Boolean);
        if (!a.place && (a.isSmall || !first[1]))
            continue;
        if (!a.place) {
            a.place = addPlace({
                name: first[1], kind: KIND.city, country, prominence: a.isLarge ? 75 : 45,
                latitude: a.latitude, longitude: a.longitude, zone: a.zone, population: 0});
            if (country)
                a.place.within.add(country);
            if (regions.has(a.region))
                a.place.within.add(regions.get(a.region));
            cities.push(a.place);
        }
        const p = a.place;
        if (p.latitude === null || p.kind === KIND.island)
            Object.assign(p, {latitude: p.latitude ?? a.latitude, longitude: p.longitude ?? a.longitude, zone: p.zone || a.zone});
        a.hub = lists.hubs.includes(a.code) ? 4 : a.isLarge ? (lists['main airports'].includes(a.code) || p.population > 300000 ? 3 : 2)
            : p.prominence >= 90 && !a.isSmall ? 2 : 1;
        a.others = new Set(a.names.map(n => n.replace(/ \(.*/, '').replace(/["“”]/g, '')));
        const town = townOf(a, a.municipality); // Luton, Newark: a town of its own, and London's or New York's airport
        if (town && town !== a.place && a.isLarge)
            a.others.add(town.name);
        for (const n of bare) {
            a.others.add(n);
            const cityWords = new Set([...p.names, p.name, a.city].flatMap(w => fold(w).split(' ')));
            const left = fold(n).split(' ').filter(w => !cityWords.has(w)).join(' ');
            a.others.add(left);
            for (const piece of n.split(/[-–\/,]/))
                a.others.add(fold(piece).split(' ').filter(w => !cityWords.has(w)).join(' '));
        }
    }
    airports = airports.filter(a => a.place && (!a.isSmall || a.place.prominence >= 50));
    for (const a of airports) { // the town of an airport is better known for it
        a.place.prominence = Math.min(a.place.prominence + (a.isLarge ? 12 : a.isSmall ? 0 : 4), a.place.kind === KIND.country ? 150 : 149);
        a.isMain = lists['main airports'].includes(a.code);
    }
    return airports;
}

// Which airport serves a place: the nearest, but a big one may be farther away than a small one.
function serveAll(airports) {
    const byCode = new Map(airports.map(a => [a.code, a]));
    const cells = new Map();
    for (const a of airports) {
        const key = `${Math.floor(a.latitude / 3)}:${Math.floor(a.longitude / 3)}`;
        cells.set(key, [...(cells.get(key) ?? []), a]);
    }
    const cost = (p, a) => kilometres(p, a) + (a.isSmall ? 120 : [0, 60, 40, 10, 0][a.hub]) - (a.isMain ? 10 : 0) - (p.country === a.place.country ? 40 : 0);
    const best = (p, list) => list.reduce((b, a) => !b || cost(p, a) < cost(p, b) ? a : b, null);
    const own = new Map();
    for (const a of airports)
        own.set(a.place, [...(own.get(a.place) ?? []), a]);
    const rank = a => a.isMain * 1000 + (a.isSmall ? 0 : a.hub * 100) + a.isLarge * 50 - Math.min(kilometres(a, a.place), 49);
    const around = p => {
        const near = [], y = Math.floor(p.latitude / 3), x = Math.floor(p.longitude / 3);
        for (let reach = 1; reach < 7 && near.length === 0; reach++)
            for (let i = -reach; i <= reach; i++)
                for (let j = -reach; j <= reach; j++)
                    near.push(...(cells.get(`${y + i}:${x + j}`) ?? []));
        return near;
    };
    for (const p of places) {
        if (p.airport && !byCode.has(p.airport))
            throw new Error(`${p.name}: there is no airport ${p.airport}`);
        p.airport = byCode.get(p.airport) ??
            (own.has(p) ? own.get(p).reduce((b, a) => rank(a) > rank(b) ? a : b) : p.latitude === null ? null : best(p, around(p)));
    }
    for (const country of countries.values()) // the greatest airport of the country
        country.airport = airports.filter(a => a.place.country === country || a.place === country)
            .reduce((b, a) => !b || rank(a) + a.place.prominence > rank(b) + b.place.prominence ? a : b, null) ?? country.airport;
    for (let round = 0; round < 4; round++)
        for (const p of places)
            p.airport ??= [...p.within].sort((a, b) => b.kind - a.kind).map(o => o.airport).find(Boolean) ?? null;
    for (const p of places)
        if (!p.zone && p.airport)
            p.zone = p.airport.zone;
}

// ---- names ----

const FLAG = {word: 1, person: 2, alternate: 4, airport: 8, capitals: 16, code: 32};
const LATIN = /^[\p{Script=Latin}\p{M} '’.-]+$/u;

function collectNames(airports, airlines, words, lists) {
    const stop = new Set(sources.stopWords().map(fold));
    const people = new Set(sources.firstNames().map(fold));
    const never = new Set(lists['not places'].map(fold));
    const plain = new Set([...words].map(fold));
    const names = new Map(); // folded -> [{kind, item, flags, shown}]
    const add = (text, kind, item, flags, shown) => {
        const key = fold(text);
        if (key.length < 2 || key.length > 60 || /^[\d ]+$/.test(key) || (!(flags & FLAG.code) && (never.has(key) || (stop.has(key) && !(item.prominence >= 75 && (flags & FLAG.capitals || fold(item.name) === key))))) ||
            (key.length < 3 && !(flags & FLAG.capitals)))
            return;
        const list = names.get(key) ?? names.set(key, []).get(key);
        const same = list.find(e => e.kind === kind && e.item === item);
        if (same)
            same.flags &= flags | ~FLAG.alternate;
        else
            list.push({kind, item, shown, flags: flags | (plain.has(key) || stop.has(key) ? FLAG.word : 0) | (people.has(key) ? FLAG.person : 0)});
    };
    for (const p of places)
        if (!p.isQuiet)
            for (const n of new Set([p.name, ...p.names])) {
                add(n, 'place', p, /^[A-Z.]{2,3}$/.test(n) ? FLAG.capitals : 0, stays(p, n));
                if (/[äöü]/i.test(n))
                    add(umlautForm(n), 'place', p, 0);
                if (/['’]/.test(n))
                    add(n.replace(/['’]/g, ''), 'place', p, 0);
            }
    for (const [code, p] of regions) // "Portland, OR"
        if (/^(us|ca)[a-z]{2}$/.test(code))
            add(code.slice(2), 'place', p, FLAG.capitals | FLAG.code);
    for (const p of cities)
        for (const n of [p.name, ...p.names])
            for (const short of shortForms(n))
                if (!(names.get(fold(short)) ?? []).some(e => e.item.prominence > p.prominence + 10) && !plain.has(fold(short)) && !people.has(fold(short)))
                    add(short, 'place', p, 0, short);
    for (const p of [...cities].sort((a, b) => b.prominence - a.prominence))
        for (const n of p.others ?? []) {
            const key = fold(n);
            if (p.prominence >= 85 && key.length > 3 && LATIN.test(n) && n !== n.toUpperCase() && !plain.has(key) && !people.has(key) && !names.has(key))
                add(n, 'place', p, FLAG.alternate);
        }
    for (const a of airports) {
        a.isWord = plain.has(a.code.toLowerCase()) || stop.has(a.code.toLowerCase()) || people.has(a.code.toLowerCase());
        for (const n of a.others) {
            const key = fold(n), list = names.get(key) ?? [];
            const isTown = list.some(e => e.kind === 'place' && (e.item === a.place || e.item.prominence > a.place.prominence));
            if (key.length > 4 && !isTown)
                add(n, 'airport', a, FLAG.airport);
            if (/['’]/.test(n) && key.length > 4)
                add(n.replace(/['’]/g, ''), 'airport', a, FLAG.airport);
        }
    }
    for (const line of airlines)
        if (/ /.test(line.name) || line.name.length > 6)
            add(line.name, 'airline', line, 0);
    for (const name of [...people].filter(n => n.length > 2 && !stop.has(n))) // whose surname follows is no place
        names.set(name, [...(names.get(name) ?? []), {kind: 'person', item: null, flags: 0}]);
    return names;
}

// "Kruger" and "Kruger National Park", "Lofoten" and "Lofoten Islands": a place is called what the client calls it.
function stays(p, name) {
    const a = fold(name), b = fold(p.name);
    return p.kind !== KIND.country && ((isArea(p) && a.startsWith(`${b} `)) || b.startsWith(`${a} `)) ? name : undefined;
}

// A region by the name of a town in it, and a town by the name of its country, are not what is asked for.
function quietTwins() {
    for (const p of places)
        if (p.kind === KIND.region && p.prominence < 85) {
            const town = (byName.get(fold(p.name)) ?? []).find(q => q.kind === KIND.city && q.country === p.country && q.prominence >= 60);
            p.isQuiet ||= Boolean(town) && town.within.has(p);
        }
}

addWorld();
addRegions();
addCities();
const words = addWordNet();
const lists = readVocabulary();
placeRegions();
const airports = addAirports(lists);
serveAll(airports);
quietTwins();
const airlines = sources.airlines();
const names = collectNames(airports, airlines, words, lists);
const tables = writeTables({places, airports, airlines, names}, `${out}.bin`);
writeFileSync(`${out}.bin`, tables.bytes);
writeFileSync(`${out}.c`, tables.code);
writeFileSync(`${out}.licences.txt`, sources.licences());
