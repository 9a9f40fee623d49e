// write-tables.mjs -- writes the tables: the great ones (text, places, names) as bytes in the shape of places_data.h, the
// small ones (airports, countries, airlines) as C that also takes the bytes in (.incbin: a compiler would need seconds).

import {fold} from './names.mjs';

class Text {
    constructor() {
        this.at = new Map([['', 0]]);
        this.all = [''];
        this.size = 1;
    }
    add(string) {
        const text = string ?? '';
        if (!this.at.has(text)) {
            this.at.set(text, this.size);
            this.all.push(text);
            this.size += Buffer.byteLength(text) + 1;
        }
        return this.at.get(text);
    }
    bytes() {
        return Buffer.from(this.all.join('\0') + '\0');
    }
}

// fields: the C types of one row, which ends at a multiple of four bytes
const WIDTH = {u32: 4, i32: 4, i16: 2, u8: 1};
function pack(fields, rows) {
    const used = fields.reduce((n, f) => n + WIDTH[f], 0), size = (used + 3) & ~3;
    const bytes = Buffer.alloc(size * rows.length);
    const put = {u32: 'writeUInt32LE', i32: 'writeInt32LE', i16: 'writeInt16LE', u8: 'writeUInt8'};
    rows.forEach((row, i) => fields.reduce((at, f, j) => bytes[put[f]](row[j], at), i * size));
    return bytes;
}

const PLACE = ['u32', 'u32', 'u32', 'u32', 'u32', 'u32', 'u32', 'u32', 'i32', 'i32', 'i16', 'i16', 'u8', 'u8'];
const NAME = ['u32', 'u32', 'u32', 'u8', 'u8'];
const NOWHERE = 32767;
const hundredths = degrees => degrees === null ? NOWHERE : Math.round(degrees * 100);
const quote = s => JSON.stringify(s ?? '').replace(/\?/g, '\\?');
const rows = list => list.map(row => `    {${row.join(', ')}},\n`).join('');

export function writeTables({places, airports, airlines, names}, pathOfBytes) {
    const text = new Text();
    const index = list => new Map(list.map((item, i) => [item, i]));
    airlines.sort((a, b) => a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
    const at = {place: index(places), airport: index(airports), airline: index(airlines)};
    const outers = [];
    const shown = (p, language) => p.shown[language] && p.shown[language] !== p.name ? text.add(p.shown[language]) : 0;
    const placeRows = places.map(p => {
        const first = outers.length;
        outers.push(...[...p.within].map(o => [at.place.get(o)]));
        return [text.add(p.name), shown(p, 'es'), shown(p, 'fr'), shown(p, 'de'), text.add(p.zone), Math.min(p.population, 4294967295),
            first, outers.length - first, p.country ? at.place.get(p.country) : -1, p.airport ? at.airport.get(p.airport) : -1,
            hundredths(p.latitude), hundredths(p.longitude), p.kind, p.prominence];
    });
    const kinds = ['place', 'airport', 'airline', 'person'];
    // By its own name a place is meant sooner than by one in another language: Granada is the town, though Spanish
    // calls Grenada so. Among many other names each counts little.
    const isOwn = (e, key) => fold(e.item.name) === key;
    const weight = (e, key) => e.kind !== 'place' ? 0 :
        e.item.prominence - (e.flags & 4 ? 60 : 0) - (isOwn(e, key) ? 0 : e.item.kind === 1 ? 60 : 10);
    const nameRows = [...names.keys()].sort((a, b) => a < b ? -1 : 1).flatMap(key => names.get(key)
        .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || weight(b, key) - weight(a, key)).slice(0, 12)
        .map(e => [text.add(key), e.shown ? text.add(e.shown) : 0, at[e.kind]?.get(e.item) ?? 0, kinds.indexOf(e.kind), e.flags]));

    const parts = [['travel_places', pack(PLACE, placeRows)], ['travel_names', pack(NAME, nameRows)],
        ['travel_outers', pack(['u32'], outers)], ['travel_text', text.bytes()]];
    let from = 0;
    const take = parts.map(([symbol, bytes]) => {
        const line = `    TAKE(${symbol}, "${from}", "${bytes.length}")\n`;
        from += bytes.length;
        return line;
    });
    const placeOf = p => `&travel_places[${at.place.get(p)}]`;
    const countryRows = places.filter(p => p.code).sort((a, b) => a.code < b.code ? -1 : 1)
        .map(p => [quote(p.code), quote(p.currency), quote(p.language), placeOf(p)]);
    const airportRows = airports.map(a => [quote(a.code), quote(a.place.name), quote((a.place.country ?? a.place).name),
        quote(a.names[0]), quote(a.zone), placeOf(a.place), a.latitude.toFixed(4), a.longitude.toFixed(4), a.hub, a.isWord]);
    const code = `/* places_data.c -- made by travel/data/build-places.mjs from open data packages (docs/data.md). */
#include "places/places_data.h"

#define TAKE(symbol, from, size) \\
    ".balign 8\\n.globl " #symbol "\\n" #symbol ":\\n.incbin ${quote(pathOfBytes).replace(/"/g, '\\"')}, " from ", " size "\\n"
__asm__(".section .rodata\\n"
${take.join('')}    ".previous\\n");

const size_t travel_place_count = ${placeRows.length};
const size_t travel_name_count = ${nameRows.length};

const travel_country travel_countries[] = {
${rows(countryRows)}};
const size_t travel_country_count = ${countryRows.length};

const travel_airport travel_airports[] = {
${rows(airportRows)}};
const size_t travel_airport_count = ${airportRows.length};

const travel_airline travel_airlines[] = {
${rows(airlines.map(a => [quote(a.code), quote(a.name)]))}};
const size_t travel_airline_count = ${airlines.length};
`;
    return {code, bytes: Buffer.concat(parts.map(([, bytes]) => bytes))};
}
