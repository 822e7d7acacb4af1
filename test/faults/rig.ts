import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from 'undici';
import { certDir } from '../cluster/components.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { startMoto } from '../cluster/moto.ts';
import { type Log, logToStderr } from '../cluster/progress.ts';
import { connect, type KubeConnection } from '../integration/kube-connection.ts';
import { type Api, createApi } from '../integration/world-api.ts';
import { type AwsSecrets, createAwsSecrets } from '../integration/world-aws.ts';
import { installationFiles, installKeyferry, operatorIdentity } from '../operator/install.ts';
import { type Pacemaker, startPacemaker } from './pacemaker.ts';
import { type Recorder, startRecorder } from './recorder.ts';

const root = join(import.meta.dirname, '..', '..');

/** What all runs share: a control plane with Keyferry installed, a backend, and the recorder. */
export interface Rig {
  readonly cluster: ControlPlane;
  readonly api: Api;
  /** The same by the client of our own, for what people do by the command. */
  readonly admin: KubeConnection;
  readonly aws: AwsSecrets;
  readonly motoUrl: string;
  readonly recorder: Recorder;
  /** The bundle of the operator, as it was when all began: it may be built anew meanwhile. */
  readonly bundle: string;
  /** Text of a kubeconfig that acts as the operator. */
  readonly kubeconfig: string;
  /** What the proxies need to be the API server for operators, and to reach it. */
  readonly server: { readonly url: string; readonly cert: string; readonly key: string; readonly dispatcher: Agent };
  /** Namespaces of leases, one a lane: runs at the same time do not take each other's. */
  readonly lanes: readonly string[];
  /** Milliseconds of the history. */
  readonly now: () => number;
  /** A number that was not there before. */
  readonly next: () => number;
  readonly pacemaker: Pacemaker;
  stop(): Promise<void>;
}

export interface RigOptions {
  /** How many runs there may be at once. */
  readonly lanes: number;
  /** Base URL of a backend that runs already. */
  readonly motoUrl?: string;
  readonly log?: Log;
}

export async function startRig({ lanes, motoUrl, log = logToStderr }: RigOptions): Promise<Rig> {
  const cleanup: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of cleanup.toReversed()) await step();
  };
  try {
    const manifests = installationFiles().filter((file) => file.includes('/crds/'));
    const cluster = await startControlPlane({ manifests, log });
    cleanup.push(() => cluster.stop());
    const kubeconfigPath = join(cluster.dir, 'operator.kubeconfig');
    await installKeyferry(cluster, kubeconfigPath);
    const names = Array.from({ length: lanes }, (_, index) => `lane-${index}`);
    await openLanes(cluster, names);
    const moto = motoUrl === undefined ? await startMoto({ log }) : undefined;
    if (moto !== undefined) cleanup.push(() => moto.stop());
    const backend = motoUrl ?? moto?.url ?? '';
    const api = createApi(cluster);
    cleanup.push(() => api.close());
    const admin = connect(cluster.kubeconfig);
    cleanup.push(() => admin.transport.close());
    const started = performance.now();
    const now = (): number => performance.now() - started;
    const recorder = await startRecorder(cluster, now);
    cleanup.push(() => recorder.stop());
    const pacemaker = startPacemaker(() => api.raw('GET', '/livez'), now);
    cleanup.push(async () => pacemaker.stop());
    const server = await serverOf(cluster);
    cleanup.push(() => server.dispatcher.destroy());
    const bundle = join(cluster.dir, 'operator.mjs');
    await copyFile(join(root, 'dist', 'operator.mjs'), bundle);
    let number = 0;
    return {
      cluster,
      api,
      admin,
      aws: createAwsSecrets(backend),
      motoUrl: backend,
      recorder,
      pacemaker,
      bundle,
      kubeconfig: await readFile(kubeconfigPath, 'utf8'),
      server,
      lanes: names,
      now,
      next: () => (number += 1),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The API server made its certificate for 127.0.0.1, on whatever port. */
async function serverOf({ dir, url, ca }: ControlPlane): Promise<Rig['server']> {
  const [cert, key] = await Promise.all(
    ['apiserver.crt', 'apiserver.key'].map((file) => readFile(join(certDir(dir), file), 'utf8')),
  );
  const dispatcher = new Agent({ connect: { ca }, bodyTimeout: 0, headersTimeout: 0, connections: null });
  return { url, cert: cert ?? '', key: key ?? '', dispatcher };
}

/** What the operator may do in its own namespace: renew its lease, and try by dry run whether the policies act. Each lane is one of the same kind. */
async function openLanes(cluster: ControlPlane, names: readonly string[]): Promise<void> {
  const { namespace: home, serviceAccount } = operatorIdentity;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = [
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'patch'] },
    { apiGroups: ['keyferry.io'], resources: ['secretversions', 'secretreveals'], verbs: ['create'] },
  ];
  const items = names.flatMap((namespace) => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion, kind: 'Role', metadata: { name: 'own', namespace }, rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name: 'own', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'own' },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace: home }],
    },
  ]);
  await runKubectl(cluster, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}
