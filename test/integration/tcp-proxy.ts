import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '../cluster/ports.ts';

/**
 * What happens to bytes: `pass` lets them through, `hold` keeps them (the connections stay open, as behind a firewall that lost its state),
 * `refuse` turns connections away and breaks those that there are.
 */
export type Traffic = 'pass' | 'hold' | 'refuse';

/** A proxy on 127.0.0.1 that knows nothing of what it carries, so TLS stays between the two ends. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that were opened so far. */
  readonly opened: number;
  set(traffic: Traffic): Promise<void>;
  /** Breaks all connections that there are, without a goodbye. */
  cut(): void;
  /** From now on nothing passes through the connections that there are, and neither end is told. New ones are as ever. */
  freeze(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export async function startTcpProxy(target: { readonly port: number }): Promise<TcpProxy> {
  const [port = 0] = await freePorts(1);
  const pairs = new Set<Pair>();
  const frozen = new WeakSet<Pair>();
  let traffic: Traffic = 'pass';
  let opened = 0;
  const server = createServer((near) => {
    opened += 1;
    const pair = { near, far: connect({ host: '127.0.0.1', port: target.port }) };
    pairs.add(pair);
    join(pair, () => pairs.delete(pair));
    if (traffic === 'hold') pause(pair);
  });
  const cut = (): void => pairs.forEach(destroy);
  await listen(server, port);
  return {
    port,
    get opened() {
      return opened;
    },
    cut,
    freeze: () => {
      pairs.forEach(pause);
      pairs.forEach((pair) => frozen.add(pair));
    },
    set: async (next) => {
      const before = traffic;
      traffic = next;
      if (next === 'refuse') {
        cut();
        if (before !== 'refuse') await stopListening(server);
        return;
      }
      if (before === 'refuse') await listen(server, port);
      for (const pair of pairs)
        if (next === 'hold' || frozen.has(pair)) pause(pair);
        else resume(pair);
    },
    close: async () => {
      cut();
      if (traffic !== 'refuse') await stopListening(server);
    },
  };
}

function join(pair: Pair, onEnd: () => void): void {
  const { near, far } = pair;
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.setNoDelay(true);
    from.on('data', (bytes) => to.write(bytes));
    from.on('end', () => to.end());
    from.on('error', () => destroy(pair));
    from.on('close', () => {
      destroy(pair);
      onEnd();
    });
  }
}

function pause({ near, far }: Pair): void {
  near.pause();
  far.pause();
}

function resume({ near, far }: Pair): void {
  near.resume();
  far.resume();
}

function destroy({ near, far }: Pair): void {
  near.destroy();
  far.destroy();
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function stopListening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
