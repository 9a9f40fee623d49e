// h2_server -- HTTP/2 over TLS for test_h2.c: node h2_server.mjs CERTIFICATE KEY. Prints its port, serves until its stdin ends.
//
// A POST is answered with its body, after a moment, so that many are open at once. GET /told says how many connections and
// requests there were. POST /never has no answer, POST /away is answered by closing the whole connection.
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';

const server = createSecureServer({ cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3]) });
let sessions = 0, requests = 0;
server.on('session', session => { sessions++; session.on('error', () => {}); });
server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    if (headers[':path'] === '/told') return stream.respond({ ':status': 200 }), stream.end(`${sessions} ${requests}`);
    const body = [];
    requests++;
    stream.on('data', piece => body.push(piece));
    stream.on('end', () => {
        if (headers[':path'] === '/never') return;
        if (headers[':path'] === '/away') return stream.session.destroy();
        setTimeout(() => {
            if (stream.destroyed) return;
            stream.respond({ ':status': 200, 'content-type': 'application/json', 'x-test': headers['mcp-method'] ?? '' });
            stream.end(Buffer.concat(body));
        }, 5);
    });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
