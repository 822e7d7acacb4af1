import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand } from '../cluster/command.ts';
import { eventually } from '../operator/eventually.ts';
import type { ChartCluster } from './chart-support.ts';

const podSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    serviceAccountName: z.string(),
    containers: z.tuple([
      z.object({
        command: z.tuple([z.literal('node')], z.string()),
        env: z.array(z.object({ name: z.string(), value: z.string() })),
      }),
    ]),
  }),
});

/** Plays the kubelet for one pod that a hook of the chart makes, as there is no node: runs what it would run, with its rights, and says that it ended well. */
export async function runHookPod(made: ChartCluster, namespace: string, name: string): Promise<void> {
  const text = await eventually(
    'the hook has made its pod',
    () => made.kubectl(['get', 'pod', name, '-n', namespace, '-o', 'json']),
    { deadline: 120_000, every: 500 },
  );
  const { spec } = podSchema.parse(JSON.parse(text));
  const [{ command, env }] = spec.containers;
  const account = await mounted(made, namespace, spec.serviceAccountName);
  const { hostname, port } = new URL(made.cluster.url);
  const own = Object.fromEntries(env.map(({ name: variable, value }) => [variable, value]));
  const [, ...args] = command;
  await runCommand(process.execPath, args, {
    env: {
      ...own,
      ACCOUNT: account,
      NODE_EXTRA_CA_CERTS: join(account, 'ca.crt'),
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
    },
  });
  const ended = JSON.stringify({ status: { phase: 'Succeeded' } });
  await made.kubectl(['patch', 'pod', name, '-n', namespace, '--subresource=status', '--type=merge', '--patch', ended]);
}

/** What a pod finds of its service account. */
async function mounted(made: ChartCluster, namespace: string, account: string): Promise<string> {
  const folder = join(made.folder, 'account');
  await mkdir(folder, { recursive: true });
  const token = await made.kubectl(['create', 'token', account, '-n', namespace]);
  await writeFile(join(folder, 'token'), token);
  await writeFile(join(folder, 'ca.crt'), made.cluster.ca);
  return folder;
}
