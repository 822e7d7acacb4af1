import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { safeMessage } from '../runtime/errors.ts';

/** Where the API server is and who we are to it. */
export interface KubeServer {
  /** `https://host:port`, maybe with a path before `/api`; no slash at the end. */
  readonly url: string;
  /** The namespace of the kubeconfig's context, or of the pod we run in. `default` where neither says. */
  readonly namespace: string;
  /** The HTTP proxy that connects to it; undefined where it is reached directly. */
  readonly proxy?: URL | undefined;
  /** What to show now. Cheap to call often; rejects where it can't be had (a plugin fails, a file is gone). */
  credentials(): Promise<KubeCredentials>;
}

export interface KubeCredentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: KubeTls;
}

/** PEM. Files are read again now and then, so that what is rotated on disk is used by the next connection. */
export interface KubeTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
}

/** The kubeconfig can't be used. The message says which one and what to change. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
  readonly [safeMessage] = true;
}

export interface KubeServerOptions {
  /** A kubeconfig file, or several with the system's path delimiter between them. Default: the service account of the pod. */
  readonly kubeconfig?: string | undefined;
  /** Default: the kubeconfig's current context. */
  readonly context?: string | undefined;
  readonly clock: Clock;
}

/** Milliseconds for which what the library gave is used again: it reads files and looks at tokens on every call. */
const credentialsAge = 10_000;

/**
 * Finds the API server by a kubeconfig, or from inside a pod, by the library's own rules for tokens, exec plugins, OIDC and client
 * certificates.
 *
 * @throws KubeConfigError where there is nothing to connect to, or a connection would not be authenticated both ways.
 */
export function loadKubeServer(options: KubeServerOptions): KubeServer {
  const config = loadConfig(options);
  const where = options.kubeconfig ?? 'the service account of this pod';
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new KubeConfigError(
      `${where} has no cluster for its context "${config.getCurrentContext()}": choose one of its contexts`,
    );
  }
  if (config.getCurrentUser() === null) {
    throw new KubeConfigError(`${where} has no user for its context "${config.getCurrentContext()}": add one`);
  }
  refuseUnsafe(where, cluster);
  const direct = withoutProxies(config);
  return {
    url: cluster.server.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    proxy: proxyOf(where, cluster.proxyUrl),
    credentials: cached(options.clock, () => readCredentials(direct)),
  };
}

function loadConfig(options: KubeServerOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    loadInto(config, options.kubeconfig);
  } catch (error) {
    // A parser's message would quote the file, and the file holds tokens.
    const code = errorCode(error);
    const why = code === '' ? 'it is not a valid kubeconfig' : code;
    throw new KubeConfigError(`cannot read ${options.kubeconfig ?? 'the service account of this pod'}: ${why}`);
  }
  if (options.context !== undefined) {
    config.setCurrentContext(options.context);
  }
  return config;
}

function loadInto(config: KubeConfig, kubeconfig: string | undefined): void {
  if (kubeconfig === undefined) {
    config.loadFromCluster();
    return;
  }
  const [first = '', ...others] = kubeconfig.split(delimiter).filter((file) => file !== '');
  config.loadFromFile(first);
  for (const file of others) {
    const other = new KubeConfig();
    other.loadFromFile(file);
    config.mergeConfig(other, true);
  }
}

function refuseUnsafe(where: string, cluster: { server: string; skipTLSVerify: boolean }): void {
  if (cluster.skipTLSVerify) {
    throw new KubeConfigError(
      `${where} asks not to verify the API server's certificate: remove insecure-skip-tls-verify and set certificate-authority`,
    );
  }
  if (cluster.server.startsWith('https://undefined')) {
    throw new KubeConfigError(
      'there is no API server to talk to: set KUBECONFIG, or run in a pod with a service account',
    );
  }
  if (!cluster.server.startsWith('https://')) {
    throw new KubeConfigError(`${where} names the API server "${cluster.server}": it has to be an https:// address`);
  }
}

/** The library would make an agent for each, of packages that are not in the bundle: we connect ourselves. */
function withoutProxies(config: KubeConfig): KubeConfig {
  const copy = new KubeConfig();
  const clusters = config.getClusters().map(({ proxyUrl: _proxyUrl, ...cluster }) => cluster);
  const { users, contexts, currentContext } = config;
  copy.loadFromOptions({ clusters, users, contexts, currentContext });
  return copy;
}

function proxyOf(where: string, text: string | undefined): URL | undefined {
  if (text === undefined || text === '') return undefined;
  const proxy = URL.parse(text);
  // Of what it is only the kind is told: it may hold a password.
  if (proxy === null || !/^https?:$/.test(proxy.protocol)) {
    throw new KubeConfigError(
      `${where} sets a proxy-url that is ${proxy === null ? 'no URL' : `of the kind ${proxy.protocol}//`}: it has to be http:// or https://`,
    );
  }
  return proxy;
}

const pem = z.union([z.string(), z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('utf8'))]);
const connectionSchema = z.object({
  auth: z.string().optional(),
  headers: z.record(z.string(), z.string()).default({}),
  ca: pem.optional(),
  cert: pem.optional(),
  key: pem.optional(),
  servername: z.string().optional(),
});

async function readCredentials(config: KubeConfig): Promise<KubeCredentials> {
  const filled = {};
  await config.applyToHTTPSOptions(filled);
  const { auth, headers, ...tls } = connectionSchema.parse(filled);
  // A token read from a file may end with a line break, which no header may hold.
  const trimmed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
  const basic = auth === undefined ? {} : { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
  return { headers: { ...trimmed, ...basic }, tls };
}

/** One read at a time, used again for a while; a failed one is not kept. */
function cached<T>(clock: Clock, read: () => Promise<T>): () => Promise<T> {
  let current: { readonly value: Promise<T>; readonly until: number } | undefined;
  return () => {
    if (current !== undefined && clock.monotonic() < current.until) {
      return current.value;
    }
    const value = read();
    const entry = { value, until: clock.monotonic() + credentialsAge };
    current = entry;
    value.catch(() => {
      current = current === entry ? undefined : current;
    });
    return value;
  };
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
