import { join } from 'node:path';
import { z } from 'zod';
import { operatorImage } from './images/names.ts';
import { root } from './root.ts';
import { type World, within } from './world.ts';

export const release = { name: 'keyferry', namespace: 'keyferry' } as const;

export const chart = join(root, 'charts', 'keyferry');

/** The image of this run, which no registry has, and its name at a registry otherwise. */
export const imageFlags = [`--set=image.tag=${operatorImage.tag}`, '--set=image.pullPolicy=Never'] as const;

const deploymentSchema = z.object({
  metadata: z.object({ generation: z.number() }),
  status: z.object({
    observedGeneration: z.number().default(0),
    readyReplicas: z.number().default(0),
    updatedReplicas: z.number().default(0),
    replicas: z.number().default(0),
  }),
});

/** Waits until a Deployment has replaced all its pods and `replicas` are ready. */
export async function rolledOut(world: World, namespace: string, name: string, replicas = 2): Promise<void> {
  await within(`${namespace}/${name} has ${replicas} ready pods`, async () => {
    const { metadata, status } = await world.get(deploymentSchema, 'deployment', name, '-n', namespace);
    const done =
      status.observedGeneration === metadata.generation &&
      status.updatedReplicas === replicas &&
      status.replicas === replicas &&
      status.readyReplicas === replicas;
    if (!done) throw new Error(`its status is ${JSON.stringify(status)}`);
  });
}

const podSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ nodeName: z.string().default('') }),
      status: z.object({
        startTime: z.string().optional(),
        conditions: z
          .array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() }))
          .default([]),
        containerStatuses: z.array(z.object({ restartCount: z.number() })).default([]),
      }),
    }),
  ),
});

export interface OperatorPod {
  readonly name: string;
  readonly node: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** Seconds from the pod's start until it was ready, in whole seconds as the cluster keeps them. */
  readonly startup: number | undefined;
}

export async function operatorPods(
  world: World,
  namespace: string = release.namespace,
): Promise<readonly OperatorPod[]> {
  const selector = 'app.kubernetes.io/name=keyferry';
  const { items } = await world.get(podSchema, 'pods', '-n', namespace, '-l', selector);
  return items.map(({ metadata, spec, status }) => {
    const ready = status.conditions.find(({ type, status: is }) => type === 'Ready' && is === 'True');
    const started = status.startTime === undefined ? undefined : Date.parse(status.startTime);
    return {
      name: metadata.name,
      node: spec.nodeName,
      ready: ready !== undefined,
      restarts: status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
      startup:
        ready === undefined || started === undefined
          ? undefined
          : (Date.parse(ready.lastTransitionTime) - started) / 1000,
    };
  });
}

const leaseSchema = z.object({ spec: z.object({ holderIdentity: z.string() }) });

/** The pod that works now: the others stand by. */
export async function leader(world: World): Promise<string> {
  const { spec } = await world.get(leaseSchema, 'lease', 'keyferry-operator', '-n', release.namespace);
  const pod = (await operatorPods(world)).find(({ name }) => spec.holderIdentity.startsWith(name));
  if (pod === undefined) throw new Error(`no pod is the leader: the lease is held by ${spec.holderIdentity}`);
  return pod.name;
}

/** A metric of a pod of the operator, summed over its labels. */
export async function metric(world: World, pod: string, name: string): Promise<number> {
  const path = `/api/v1/namespaces/${release.namespace}/pods/${pod}:8080/proxy/metrics`;
  const lines = (await world.kubectl('get', '--raw', path)).split('\n');
  return lines
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
