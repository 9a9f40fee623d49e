/*
 * loopback.cjs -- preload: who listens on a port without an address, and so on all of them, listens on loopback; and the
 * port is told on stderr, since with port 0 the system picks it.
 */
const net = require('node:net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
    if (/^\d+$/.test(port) && typeof rest[0] !== 'string') rest.unshift('127.0.0.1');
    this.once('listening', () => console.error(`port=${this.address().port};`));
    return listen.call(this, port, ...rest);
};
