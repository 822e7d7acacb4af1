import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

export interface ConnectionSettings {
  /** PEM certificates that are trusted instead of the system's. */
  readonly caBundle: string | undefined;
  /** The URL of an HTTP proxy. */
  readonly proxy: string | undefined;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeout: number;
}

/** What the SDK's clients of one session share, so that they share connections too. */
export interface Connection {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  readonly connectionTimeout: number;
}

const MAX_SOCKETS = 8;

export function createConnection(settings: ConnectionSettings): Connection {
  const { caBundle, proxy, connectTimeout } = settings;
  const shared = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
  };
  return {
    httpAgent: new HttpAgent(shared),
    httpsAgent: new HttpsAgent({ ...shared, ...(caBundle === undefined ? {} : { ca: caBundle }) }),
    connectionTimeout: connectTimeout,
  };
}
