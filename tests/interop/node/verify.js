'use strict';
// verify PURPOSE HOST ROOT CHAIN KEY: the verdict of Node's tls, both sides of one handshake in memory.
const fs = require('fs');
const tls = require('tls');
const { Duplex } = require('stream');

const ACCEPTED = 0, REFUSED = 1, BROKEN = 2;

// Two streams, each the other's far end: no port that somebody else could have.
function pair() {
  const ends = [0, 1].map((i) => new Duplex({
    read() {},
    write(chunk, encoding, done) {
      ends[1 - i].push(chunk);
      done();
    },
    final(done) {
      ends[1 - i].push(null);
      done();
    },
  }));
  return ends;
}

function verdict(status, why) {
  if (why)
    console.log(why);
  process.exit(status);
}

// A loop of events that runs dry before there is a verdict must not look like "accepted".
process.exitCode = BROKEN;
process.on('uncaughtException', (e) => verdict(BROKEN, e.stack));

const [purpose, host, root, chain, key] = process.argv.slice(2);
if (!key || !['server', 'client'].includes(purpose))
  verdict(BROKEN, 'want PURPOSE HOST ROOT CHAIN KEY');
const ca = fs.readFileSync(root);
const own = { cert: fs.readFileSync(chain), key: fs.readFileSync(key) };
const [near, far] = pair();

// Both sides show the chain; the one that the purpose names is judged, by the other.
const server = tls.createServer({ ...own, ca, requestCert: purpose === 'client', rejectUnauthorized: false });
server.on('secureConnection', (socket) => {
  socket.on('error', () => {});
  if (purpose === 'client')
    verdict(socket.authorized ? ACCEPTED : REFUSED, socket.authorizationError);
});
server.on('tlsClientError', (e) => {
  if (purpose === 'client')
    verdict(BROKEN, e.stack);
});
server.emit('connection', far);

const settings = { ...own, ca, socket: near, rejectUnauthorized: purpose === 'server' };
if (host === '-')
  settings.checkServerIdentity = () => undefined;
else
  settings.host = host;
const client = tls.connect(settings, () => {
  if (purpose === 'server')
    verdict(client.authorized ? ACCEPTED : REFUSED, client.authorizationError);
});
client.on('error', (e) => {
  if (purpose === 'server')
    verdict(REFUSED, `${e.code}: ${e.message}`);
});
