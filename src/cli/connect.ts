import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadKubeServer } from '../kube/config.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { createTransport } from '../kube/transport.ts';
import { whoAmI } from '../managers/embedded/client/session.ts';
import type { Clock } from '../runtime/clock.ts';
import { CliError, type Cluster } from './context.ts';
import { explainMissingKinds } from './not-installed.ts';

/** Which cluster, and as whom: the global options. */
export interface Connection {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
}

export interface ConnectSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's own folder. */
  readonly home: string;
  readonly version: string;
  readonly clock: Clock;
}

/** Connects to the cluster that options, kubeconfig and environment choose. Makes no call by itself. @throws KubeConfigError */
export function connect(connection: Connection, settings: ConnectSettings): Cluster {
  const { context, namespace, as, asGroup } = connection;
  if (as === undefined && asGroup !== undefined) throw new CliError('--as-group needs --as: name the user too', 2);
  const { clock, version } = settings;
  const server = loadKubeServer({ kubeconfig: kubeconfigOf(connection, settings), context, clock });
  const bare = createTransport({
    server,
    clock,
    version,
    random: Math.random,
    ...(as !== undefined && { impersonate: { user: as, groups: asGroup ?? [] } }),
  });
  const transport = explainMissingKinds(bare, server.url);
  const client = createKubeClient(transport);
  return {
    client,
    transport,
    namespace: namespace ?? server.namespace,
    namespaceGiven: namespace !== undefined,
    server: server.url,
    user: (signal) => whoAmI(client, signal),
    close: () => transport.close(),
  };
}

/** As kubectl looks for it; undefined is the service account of the pod. */
function kubeconfigOf({ kubeconfig }: Connection, { env, home }: ConnectSettings): string | undefined {
  if (kubeconfig !== undefined) return kubeconfig;
  const named = env['KUBECONFIG'] ?? '';
  if (named !== '') return named;
  const usual = join(home, '.kube', 'config');
  return existsSync(usual) ? usual : undefined;
}
