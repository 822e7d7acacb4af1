import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureBinary } from '../../cluster/binaries.ts';
import { runCommand } from '../../cluster/command.ts';
import { type Log, withProgress } from '../../cluster/progress.ts';
import { kubernetesVersion } from '../../cluster/versions.ts';
import type { RunningCluster } from '../cluster.ts';
import { baseImages } from '../images/bases.ts';
import { appImage, operatorImage } from '../images/names.ts';
import { root } from '../root.ts';

const cluster = 'keyferry-e2e';
const node = `${cluster}-control-plane`;
const operator = `${operatorImage.repository}:${operatorImage.tag}`;

/** Whether there is a Docker engine: the client alone is not enough. */
export async function dockerAnswers(): Promise<boolean> {
  return runCommand('docker', ['info', '--format', '{{.ServerVersion}}']).then(
    () => true,
    () => false,
  );
}

/** The commands, in order, that make the cluster and bring the images. Nothing else is done by them. */
export function kindCommands(
  kubeconfig: string,
  bases: { readonly node: string; readonly base: string },
): readonly (readonly string[])[] {
  const config = join(import.meta.dirname, 'config.yaml');
  const app = join(import.meta.dirname, '..', 'images', 'app');
  const args = [`--build-arg=NODE_IMAGE=${bases.node}`, `--build-arg=BASE_IMAGE=${bases.base}`];
  return [
    ['docker', 'build', '--quiet', `--tag=${operator}`, root],
    ['docker', 'build', '--quiet', ...args, `--tag=${appImage}`, app],
    ['kind', 'delete', 'cluster', `--name=${cluster}`],
    [
      'kind',
      'create',
      'cluster',
      `--name=${cluster}`,
      `--config=${config}`,
      `--kubeconfig=${kubeconfig}`,
      '--wait=120s',
      `--image=kindest/node:${kubernetesVersion}`,
    ],
    ['kind', 'load', 'docker-image', `--name=${cluster}`, operator, appImage],
  ];
}

/** Makes a cluster by kind, which has to be installed. */
export async function startKind(log: Log): Promise<RunningCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-kind-'));
  const kubeconfig = join(dir, 'kubeconfig');
  const stop = async (): Promise<void> => {
    await runCommand('kind', ['delete', 'cluster', `--name=${cluster}`]);
    await rm(dir, { recursive: true, force: true });
  };
  for (const [command = '', ...args] of kindCommands(kubeconfig, await baseImages())) {
    await withProgress([command, ...args.slice(0, 2)].join(' '), log, () => runCommand(command, args));
  }
  return {
    cluster: {
      kind: 'kind',
      kubeconfig,
      kubectl: await ensureBinary('kubectl', { log }),
      helm: await ensureBinary('helm', { log }),
      hostAddress: await gateway(),
      killKubelet: ['docker', 'exec', node, 'systemctl', 'kill', '--signal=SIGKILL', 'kubelet'],
    },
    stop,
  };
}

const networkSchema = z.array(
  z.object({ IPAM: z.object({ Config: z.array(z.object({ Gateway: z.string().optional() })) }) }),
);

/** The address of this machine in the network of the nodes. */
async function gateway(): Promise<string> {
  const [network] = networkSchema.parse(JSON.parse(await runCommand('docker', ['network', 'inspect', 'kind'])));
  const address = network?.IPAM.Config.map(({ Gateway }) => Gateway ?? '').find((text) => /^\d+\./.test(text));
  if (address === undefined) throw new Error("Docker's network `kind` has no IPv4 gateway.");
  return address;
}
