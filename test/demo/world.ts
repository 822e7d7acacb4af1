import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startControlPlane } from '../cluster/control-plane.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { startMoto } from '../cluster/moto.ts';
import { withProgress } from '../cluster/progress.ts';
import { installationFiles, installKeyferry } from '../operator/install.ts';
import { startOperator, whenReady } from '../operator/operator-process.ts';
import { playNode } from './node.ts';

/** A cluster, an AWS test server and the operator, all of them real processes of this machine. Only the node is played. */
export interface World {
  /** What a shell needs to work with them: `KUBECONFIG`, `AWS_ENDPOINT_URL` and so on. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder of the kubectl that belongs to the cluster. */
  readonly binaries: string;
  /** Folder of the command `keyferry`. */
  readonly tools: string;
  /** Base URL of the operator's probes and metrics. */
  readonly operatorUrl: string;
  operatorLog(): Promise<string>;
  /** Ends all of it and removes what it wrote. */
  stop(): Promise<void>;
}

type Undo = () => Promise<void>;
type Log = (line: string) => void;

/**
 * Starts everything from nothing. `namespace` is created, and is the one that kubectl works in by itself.
 * @param flags of the operator
 */
export async function startWorld(namespace: string, log: Log, flags: readonly string[] = []): Promise<World> {
  const undo: Undo[] = [];
  const stop = async (): Promise<void> => {
    for (const one of undo.toReversed()) await one();
    undo.length = 0;
  };
  try {
    return { ...(await startAll(namespace, log, flags, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  namespace: string,
  log: Log,
  flags: readonly string[],
  undo: Undo[],
): Promise<Omit<World, 'stop'>> {
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-demo-'));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  // The garbage collector looks for new kinds only every 30 s, so that they have to be there when it starts.
  const manifests = installationFiles().filter((file) => dirname(file).endsWith('crds'));
  const cluster = await withProgress('a control plane: etcd, kube-apiserver, kube-controller-manager', log, () =>
    startControlPlane({ manifests, log }),
  );
  undo.push(() => cluster.stop());
  const moto = await withProgress('moto, a server that answers as AWS Secrets Manager does', log, () =>
    startMoto({ log }),
  );
  undo.push(() => moto.stop());
  const aws = {
    AWS_ENDPOINT_URL: moto.url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'demo',
    AWS_SECRET_ACCESS_KEY: 'demo',
    // What this machine signs in with elsewhere has no part in it.
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
  };
  const operator = await withProgress('CRDs, policies, roles, and the operator', log, async () => {
    const kubeconfig = join(dir, 'operator.kubeconfig');
    await installKeyferry(cluster, kubeconfig);
    const started = await startOperator({ kubeconfig, env: aws, flags });
    undo.push(() => started.stop());
    await whenReady(started);
    return started;
  });
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await runKubectl(cluster, ['config', 'set-context', '--current', `--namespace=${namespace}`]);
  undo.push(playNode(cluster, namespace));
  return {
    env: { KUBECONFIG: cluster.kubeconfig, HOME: dir, ...aws },
    binaries: dirname(cluster.kubectl),
    tools: await linkTools(dir),
    operatorUrl: operator.url,
    operatorLog: () => operator.log(),
  };
}

/** People have `keyferry` on their path: here it is the bundle that was just built. */
async function linkTools(dir: string): Promise<string> {
  const tools = join(dir, 'bin');
  await mkdir(tools);
  for (const name of ['keyferry', 'kubectl-keyferry']) {
    await symlink(join(import.meta.dirname, '..', '..', 'dist', 'keyferry.mjs'), join(tools, name));
  }
  return tools;
}
