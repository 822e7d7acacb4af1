// An application that has a password, from its environment (PASSWORD) or from a file (PASSWORD_FILE), which it reads again and
// again. It prints what it sees, and answers with it. A password that begins with `refused-` is one that its database does not
// know: it says so and is not ready.
//
// With URL it is a client instead: it asks there without a pause, each time on a new connection, and answers how that went.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, IncomingMessage, type RequestListener, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** Milliseconds. A question to DNS that gets lost is asked again after 5 s: that is slow, and no failure of the application. */
const PATIENCE = 15_000;
const { PASSWORD = '', PASSWORD_FILE, HOSTNAME = '', URL: url } = process.env;

if (url === undefined) beApplication();
else beClient(url);

function listen(answer: RequestListener): void {
  const server = createServer(answer).listen(8080);
  process.once('SIGTERM', () => {
    // Requests still come until every node knows that this pod goes: it goes on answering for as long as that takes.
    setTimeout(() => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    }, 5_000);
  });
}

function beApplication(): void {
  let seen = '';
  const look = (): void => {
    const now = PASSWORD_FILE === undefined ? PASSWORD : readFileSync(PASSWORD_FILE, 'utf8');
    if (now !== seen) process.stdout.write(`${HOSTNAME} sees ${now}\n`);
    seen = now;
  };
  look();
  setInterval(look, 200);
  listen((incoming, response) => {
    const refused = incoming.url === '/ready' && seen.startsWith('refused-');
    response.writeHead(refused ? 503 : 200).end(JSON.stringify({ pod: HOSTNAME, sees: seen }));
  });
}

function beClient(target: string): void {
  const result = { answered: 0, failed: 0, last: '', slowest: 0 };
  const ask = async (): Promise<void> => {
    const started = performance.now();
    try {
      await askOnce(target);
      result.answered += 1;
      result.slowest = Math.max(result.slowest, Math.round(performance.now() - started));
    } catch (error) {
      result.failed += 1;
      result.last = String(error);
    }
    setTimeout(() => void ask(), 20);
  };
  void ask();
  listen((_, response) => {
    response.end(JSON.stringify(result));
  });
}

async function askOnce(target: string): Promise<void> {
  const outgoing = request(target, { agent: false, timeout: PATIENCE });
  let reached = 'nothing, not even an address';
  outgoing.once('socket', (socket) => {
    socket.once('lookup', () => (reached = 'an address'));
    socket.once('connect', () => (reached = 'a connection'));
  });
  outgoing.once('timeout', () =>
    outgoing.destroy(new Error(`no answer within ${PATIENCE / 1000} s; there was ${reached}`)),
  );
  outgoing.end();
  const [incoming]: unknown[] = await once(outgoing, 'response');
  if (!(incoming instanceof IncomingMessage)) throw new TypeError('an answer without a message');
  await text(incoming);
  if (incoming.statusCode !== 200) throw new Error(`status ${incoming.statusCode}`);
}
