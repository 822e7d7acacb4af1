import { Agent, buildConnector } from 'undici';
import type { KubeServer, KubeTls } from './config.ts';
import { openTunnel } from './tunnel.ts';

const connectTimeout = 10_000;
/** An API server closes idle connections after 90 s at the earliest, balancers before it often after 60 s. */
const idleTimeout = 30_000;
/** Load balancers forget silent connections: a probe keeps a watch alive, and finds a dead peer. */
const keepAliveProbe = 30_000;

/** The connections of ordinary calls: shared, reused, at most `connections` at once; further calls wait. */
export function callPool(server: KubeServer, connections: number): Agent {
  return new Agent({
    connect: rotatingConnector(server),
    allowH2: false,
    connections,
    keepAliveTimeout: idleTimeout,
    keepAliveMaxTimeout: idleTimeout,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** The connections of watches: one each, for as long as it lasts. Their silence is judged by who reads them. */
export function watchPool(server: KubeServer): Agent {
  return new Agent({
    connect: rotatingConnector(server),
    allowH2: false,
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** Every new connection shows the certificate that is valid by then. */
function rotatingConnector(server: KubeServer): buildConnector.connector {
  let current: { readonly tls: KubeTls; readonly connect: buildConnector.connector } | undefined;
  const connectorOf = async (): Promise<buildConnector.connector> => {
    const { tls } = await server.credentials();
    if (current === undefined || !sameTls(current.tls, tls)) {
      current = { tls, connect: connectorFor(tls) };
    }
    return current.connect;
  };
  const direct: buildConnector.connector = (options, callback) => {
    void connectorOf()
      .catch((): buildConnector.connector => (_, fail) => fail(new Error('no credentials'), null))
      .then((connect) => connect(options, callback));
  };
  return server.proxy === undefined ? direct : throughProxy(server.proxy, direct);
}

/** The proxy sees the host and the port of the API server, and nothing of what is said: TLS is spoken with the API server itself. */
function throughProxy(proxy: URL, connect: buildConnector.connector): buildConnector.connector {
  const join = async (...[options, callback]: Parameters<buildConnector.connector>): Promise<void> => {
    try {
      const httpSocket = await openTunnel(proxy, `${options.hostname}:${options.port === '' ? '443' : options.port}`);
      connect({ ...options, httpSocket }, callback);
    } catch (error) {
      callback(error instanceof Error ? error : new Error('the proxy failed'), null);
    }
  };
  return (...given) => void join(...given);
}

function connectorFor(tls: KubeTls): buildConnector.connector {
  return buildConnector({
    ...definedOnly(tls),
    rejectUnauthorized: true,
    allowH2: false,
    timeout: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbe,
  });
}

function definedOnly(tls: KubeTls): { ca?: string; cert?: string; key?: string; servername?: string } {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}

function sameTls(a: KubeTls, b: KubeTls): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key && a.servername === b.servername;
}
