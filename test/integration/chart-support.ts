import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { chart, runHelm, type Values } from '../chart/helm.ts';
import { runCommand } from '../cluster/command.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { writeKubeconfig } from '../cluster/kubeconfig.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { type OperatorProcess, startOperator, whenReady } from '../operator/operator-process.ts';

const root = join(import.meta.dirname, '..', '..');

/** A cluster in which nothing of ours is installed, and what people install it with. */
export interface ChartCluster {
  readonly cluster: ControlPlane;
  readonly folder: string;
  helm(args: readonly string[], values?: Values): Promise<string>;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  keyferry(args: readonly string[], input?: string): Promise<string>;
  /** The operator with the rights of the installed service account, and the flags of the installed Deployment: there is no node that would run its pod. */
  startOperator(namespace: string, deployment: string): Promise<OperatorProcess>;
  /** What Helm created or deleted since it was asked last, in order: `delete roles`, each run of the same once. */
  requestsOfHelm(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const deploymentSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ serviceAccountName: z.string(), containers: z.array(z.object({ args: z.array(z.string()) })) }),
    }),
  }),
});

export async function startChartCluster(): Promise<ChartCluster> {
  const cluster = await startControlPlane({ audit: 'Metadata' });
  const folder = await mkdtemp(join(tmpdir(), 'keyferry-chart-'));
  const kubectl: ChartCluster['kubectl'] = (args, input) => runKubectl(cluster, args, input);
  const operators: OperatorProcess[] = [];
  let read = 0;
  return {
    cluster,
    folder,
    kubectl,
    helm: (args, values) => runHelm(args, values, cluster.kubeconfig),
    keyferry: (args, input = '') =>
      runCommand(process.execPath, [join(root, 'dist', 'keyferry.mjs'), ...args], {
        env: { KUBECONFIG: cluster.kubeconfig, HOME: folder, XDG_CONFIG_HOME: folder },
        input,
      }),
    startOperator: async (namespace, deployment) => {
      const installed = await kubectl(['get', 'deployment', deployment, '-n', namespace, '-o', 'json']);
      const { serviceAccountName, containers } = deploymentSchema.parse(JSON.parse(installed)).spec.template.spec;
      const token = await kubectl(['create', 'token', serviceAccountName, '-n', namespace, '--duration=24h']);
      const kubeconfig = join(folder, `${namespace}.kubeconfig`);
      await writeKubeconfig(kubeconfig, { ...cluster, token: token.trim(), user: 'operator' });
      const args = (containers[0]?.args ?? []).filter((arg) => !arg.startsWith('--http-address'));
      const operator = await startOperator({ kubeconfig, flags: [...args, `--namespace=${namespace}`] });
      operators.push(operator);
      await whenReady(operator);
      return operator;
    },
    requestsOfHelm: async () => {
      const all = (await readAudit(cluster.auditLog)).filter(
        ({ userAgent, verb }) => userAgent.startsWith('Helm/') && (verb === 'create' || verb === 'delete'),
      );
      const requests = all.slice(read).map(({ verb, objectRef }) => `${verb} ${objectRef.resource}`);
      read = all.length;
      return requests.filter((request, index) => request !== requests[index - 1]);
    },
    stop: async () => {
      for (const operator of operators) await operator.stop().catch(() => undefined);
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const auditSchema = z.object({
  verb: z.string(),
  userAgent: z.string().default(''),
  objectRef: z.object({ resource: z.string().default('') }).default({ resource: '' }),
});

async function readAudit(file: string): Promise<readonly z.infer<typeof auditSchema>[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  // The last one may be half written.
  return lines.slice(0, -1).map((line) => auditSchema.parse(JSON.parse(line)));
}

/** A copy of the chart as it might have been one release before: a field fewer, and an object that is no more. */
export async function formerChart(folder: string): Promise<string> {
  const former = join(folder, 'former');
  await cp(chart, former, { recursive: true });
  const change = async (file: string, edit: (text: string) => string): Promise<void> => {
    const before = await readFile(join(former, file), 'utf8');
    const after = edit(before);
    if (after === before) throw new Error(`${file} is not what this test takes it for`);
    await writeFile(join(former, file), after);
  };
  await change('Chart.yaml', (text) => text.replace(/^version: .*$/m, 'version: 0.0.9'));
  await change('templates/crds/clustersecretmanagers.yaml', (text) =>
    text.replace(/^ {16}contact:\n(?: {18}.*\n)+/m, ''),
  );
  const labels = { 'app.kubernetes.io/instance': 'ferry' };
  const left = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'left-behind', labels } };
  await writeFile(join(former, 'templates', 'former.yaml'), JSON.stringify(left));
  return former;
}
