import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below the ports that kernels hand out to outgoing connections, so that a stopped server's port is not taken before it starts again. */
const range = { from: 12_000, to: 32_000 };

const attempts = 50;

/** Gives `count` different TCP ports that are free on 127.0.0.1 now. Throws when none can be found. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held: { port: number; server: Server }[] = [];
  try {
    for (let attempt = 0; held.length < count && attempt < attempts * count; attempt += 1) {
      const port = randomInt(range.from, range.to);
      const server = await tryListen(port);
      if (server !== undefined) {
        held.push({ port, server });
      }
    }
  } finally {
    await Promise.all(held.map(({ server }) => close(server)));
  }
  if (held.length < count) {
    throw new Error(`Found no ${count} free TCP ports on 127.0.0.1 between ${range.from} and ${range.to}.`);
  }
  return held.map(({ port }) => port);
}

async function tryListen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
