import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { z } from 'zod';
import { runCommand } from '../cluster/command.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import type { E2eCluster } from './cluster.ts';
import { root } from './root.ts';

/** Any object of the API. */
export type Manifest = Readonly<Record<string, unknown>>;

export interface World {
  readonly cluster: E2eCluster;
  kubectl(...args: readonly string[]): Promise<string>;
  /** Server-side apply. */
  apply(...objects: readonly Manifest[]): Promise<void>;
  helm(...args: readonly string[]): Promise<string>;
  /** The built command, as an administrator runs it. */
  keyferry(args: readonly string[], input?: string): Promise<string>;
  /** Gets objects, or one, as `schema` reads them. */
  get<T>(schema: z.ZodType<T>, ...args: readonly string[]): Promise<T>;
  /** The one line of JSON that a small server in a pod answers through the API server. */
  ask<T>(schema: z.ZodType<T>, namespace: string, pod: string): Promise<T>;
  /** Removes what the commands wrote to the home of their user. */
  close(): void;
}

/** The cluster of this run as tests use it. */
export function connect(): World {
  const cluster = inject('e2e');
  const home = mkdtempSync(join(tmpdir(), 'keyferry-e2e-home-'));
  const env = { KUBECONFIG: cluster.kubeconfig, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home };
  const kubectl: World['kubectl'] = (...args) => runKubectl(cluster, args);
  const get: World['get'] = async (schema, ...args) =>
    schema.parse(JSON.parse(await kubectl('get', ...args, '-o', 'json')));
  return {
    cluster,
    kubectl,
    get,
    apply: async (...objects) => {
      const list = { apiVersion: 'v1', kind: 'List', items: objects };
      await runKubectl(cluster, ['apply', '--server-side', '-f', '-'], JSON.stringify(list));
    },
    helm: (...args) => runCommand(cluster.helm, args, { env }),
    keyferry: (args, input = '') =>
      runCommand(process.execPath, [join(root, 'dist', 'keyferry.mjs'), ...args], { env, input }),
    ask: async (schema, namespace, pod) => {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/`;
      return schema.parse(JSON.parse(await kubectl('get', '--raw', path)));
    },
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** A minute: pods are started in between. */
export function within<T>(what: string, attempt: () => Promise<T> | T, deadline = 90_000): Promise<T> {
  return eventually(what, attempt, { deadline, every: 250 });
}
