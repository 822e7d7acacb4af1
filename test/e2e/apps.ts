import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { appImage } from './images/names.ts';
import type { Manifest, World } from './world.ts';

export interface AppSpec {
  readonly namespace: string;
  readonly name: string;
  /** The Secret that holds `password`. */
  readonly secret: string;
  readonly takes: 'volume' | 'environment';
  readonly replicas?: number;
}

const security = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

const pod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } as const;

/** A small server that knows its password from a Secret, and the Service in front of it. */
export function app(spec: AppSpec): readonly Manifest[] {
  const { namespace, name } = spec;
  const metadata = { name, namespace, labels: { app: name } };
  const service = { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: service },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deployment(spec) },
  ];
}

function deployment({ name, secret, takes, replicas = 2 }: AppSpec): Manifest {
  const container = {
    name: 'app',
    image: appImage,
    imagePullPolicy: 'IfNotPresent',
    securityContext: security,
    readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
    resources: { requests: { cpu: '5m', memory: '32Mi' } },
  };
  const passwordRef = { secretKeyRef: { name: secret, key: 'password' } };
  const taken =
    takes === 'environment'
      ? { containers: [{ ...container, env: [{ name: 'PASSWORD', valueFrom: passwordRef }] }] }
      : {
          containers: [
            {
              ...container,
              env: [{ name: 'PASSWORD_FILE', value: '/secret/password' }],
              volumeMounts: [{ name: 'secret', mountPath: '/secret', readOnly: true }],
            },
          ],
          volumes: [{ name: 'secret', secret: { secretName: secret } }],
        };
  return {
    replicas,
    selector: { matchLabels: { app: name } },
    // The new pod first: nobody is without one.
    strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      metadata: { labels: { app: name } },
      spec: { ...taken, securityContext: pod, terminationGracePeriodSeconds: 15 },
    },
  };
}

/** A pod that asks an application without a pause, and counts. */
export function client(namespace: string, name: string): Manifest {
  const container = {
    name: 'client',
    image: appImage,
    imagePullPolicy: 'IfNotPresent',
    env: [{ name: 'URL', value: `http://${name}.${namespace}.svc.cluster.local/` }],
    securityContext: security,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-client`, namespace },
    spec: { containers: [container], securityContext: pod, terminationGracePeriodSeconds: 1 },
  };
}

/** What a client says: how many requests were answered, how many milliseconds the slowest took, how many failed, and why the last of those did. */
export const clientResult = z.object({
  answered: z.number(),
  slowest: z.number(),
  failed: z.number(),
  last: z.string(),
});

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      status: z.object({
        podIP: z.string().optional(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      }),
    }),
  ),
});

/** Names of the pods of an application that are there to stay, and whether each is ready. */
export async function pods(world: World, namespace: string, name: string): Promise<ReadonlyMap<string, boolean>> {
  const { items } = await world.get(podList, 'pods', '-n', namespace, '-l', `app=${name}`);
  const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return new Map(
    staying.map(({ metadata, status }) => [
      metadata.name,
      status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    ]),
  );
}

/** Often enough to see a rollout, and seldom enough that whoever looks leaves the machine to the pods. */
const LOOK_AGAIN = 1_000;

/** Looks at the pods of applications again and again until it is stopped, which tells how few of each were ready at the worst look. */
export function countReady(
  world: World,
  namespace: string,
  names: readonly string[],
): { stop(): Promise<readonly number[]> } {
  const stopped = new AbortController();
  const look = async (): Promise<readonly number[]> => {
    const fewest = new Map<string, number>();
    while (!stopped.signal.aborted) {
      for (const name of names) {
        const ready = [...(await pods(world, namespace, name)).values()].filter(Boolean).length;
        fewest.set(name, Math.min(ready, fewest.get(name) ?? ready));
      }
      await delay(LOOK_AGAIN);
    }
    return names.map((name) => fewest.get(name) ?? 0);
  };
  const result = look();
  return {
    stop: () => {
      stopped.abort();
      return result;
    },
  };
}

/** What each pod of an application answers that it sees. */
export async function sees(world: World, namespace: string, name: string): Promise<ReadonlyMap<string, string>> {
  const answer = z.object({ pod: z.string(), sees: z.string() });
  const names = [...(await pods(world, namespace, name)).keys()];
  const answers = await Promise.all(names.map((podName) => world.ask(answer, namespace, podName)));
  return new Map(answers.map(({ pod: podName, sees: value }) => [podName, value]));
}
