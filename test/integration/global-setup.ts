import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { runCommand } from '../cluster/command.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { KubectlTarget } from '../cluster/kubectl.ts';
import { startMoto } from '../cluster/moto.ts';

/** The control plane that all integration tests share. Tests keep out of each other's way by namespaces of their own. */
export interface SharedCluster extends KubectlTarget {
  /** Base URL of the API server. */
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  /** Bearer token of an administrator, who may impersonate everyone. */
  readonly token: string;
  /** Path of the audit log of all requests: one JSON object a line, metadata only. */
  readonly auditLog: string;
}

/** The AWS test server that all integration tests share. Tests keep out of each other's way by the names of their secrets. */
export interface SharedMoto {
  readonly url: string;
}

const root = join(import.meta.dirname, '..', '..');

declare module 'vitest' {
  interface ProvidedContext {
    cluster: SharedCluster;
    moto: SharedMoto;
  }
}

/** Bundles the operator, and starts one control plane, which has our CRDs and policies, and one moto for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await runCommand(process.execPath, [join(root, 'scripts', 'build.ts')]);
  const cluster = await startControlPlane({ manifests: manifests(), audit: 'Metadata' });
  const moto = await startMoto().catch(async (error: unknown) => {
    await cluster.stop();
    throw error;
  });
  const { kubeconfig, kubectl, url, ca, token, auditLog } = cluster;
  project.provide('cluster', { kubeconfig, kubectl, url, ca, token, auditLog });
  project.provide('moto', { url: moto.url });
  return async () => {
    await Promise.all([cluster.stop(), moto.stop()]);
  };
}

function manifests(): readonly string[] {
  const files = ['crds', 'policies'].map((folder) => globSync(join(root, folder, '*.yaml')));
  return files.flat();
}
