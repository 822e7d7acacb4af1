import { createConnection } from './connection.ts';

export interface ClientSettings {
  /** Undefined: the SDK looks into the environment. */
  readonly region?: string | undefined;
  /** The URL of the service. */
  readonly endpoint?: string | undefined;
  readonly caBundle?: string | undefined;
  readonly proxy?: string | undefined;
  /** Milliseconds until a connection must stand; 3 s. */
  readonly connectTimeout?: number | undefined;
}

const CONNECT_TIMEOUT = 3000;

/** What the SDK's clients of one session are made with. */
export function clientConfig({ region, endpoint, caBundle, proxy, connectTimeout = CONNECT_TIMEOUT }: ClientSettings) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: createConnection({ caBundle, proxy, connectTimeout }),
    // Whoever calls decides when to ask again.
    maxAttempts: 1,
    retryMode: 'standard',
    customUserAgent: 'keyferry',
  };
}

/** Where the service is, for messages. */
export function placeOf({ region, endpoint }: ClientSettings): string {
  const where = region === undefined ? '' : ` in ${region}`;
  const at = endpoint === undefined ? '' : ` at ${URL.canParse(endpoint) ? new URL(endpoint).origin : 'its endpoint'}`;
  return `${where}${at}`;
}
