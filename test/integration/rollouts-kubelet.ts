import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { World } from './world.ts';

/** What becomes of pods that start on a bad value. */
export type Trouble = 'crash' | 'unready' | 'pending' | 'imagePull';

/** Plays the kubelet of all namespaces: pods become ready, unless a Secret that they use holds a bad value when they start. */
export interface Kubelet {
  spoil(value: string, trouble: Trouble): void;
  /** The value is good from now on: pods that run on it become ready. */
  heal(value: string): void;
  stop(): Promise<void>;
}

const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        uid: z.string(),
        deletionTimestamp: z.string().optional(),
      }),
    }),
  ),
});
type Pod = z.infer<typeof podsSchema>['items'][number];
const secretsSchema = z.object({ items: z.array(z.object({ data: z.record(z.string(), z.string()).default({}) })) });

/** Milliseconds between two looks. */
const EVERY = 100;

export function playKubelet({ cluster: { url, ca, token } }: World): Kubelet {
  const dispatcher = new Agent({ connect: { ca } });
  const bad = new Map<string, Trouble>();
  /** By uid of a pod: the bad value that it runs on. */
  const known = new Map<string, string | undefined>();
  let healed = false;
  const stopped = new AbortController();
  const call = async (path: string, body?: object): Promise<unknown> => {
    const method = body === undefined ? 'GET' : 'PATCH';
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' };
    const answer = await request(`${url}${path}`, {
      dispatcher,
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    return answer.body.json();
  };
  const badValueIn = async (namespace: string): Promise<string | undefined> => {
    if (bad.size === 0) return undefined;
    const { items } = secretsSchema.parse(await call(`/api/v1/namespaces/${namespace}/secrets`));
    const values = items.flatMap(({ data }) => Object.values(data));
    return values.map((text) => Buffer.from(text, 'base64').toString()).find((value) => bad.has(value));
  };
  const start = async ({ metadata: { name, namespace, uid, deletionTimestamp } }: Pod): Promise<void> => {
    const runs = known.get(uid);
    const isDone = known.has(uid) && (runs === undefined || bad.has(runs));
    if (deletionTimestamp !== undefined || isDone) return;
    const value = known.has(uid) ? undefined : await badValueIn(namespace);
    const status = statusOf(bad.get(value ?? ''), new Date().toISOString());
    known.set(uid, value);
    if (status !== undefined) await call(`/api/v1/namespaces/${namespace}/pods/${name}/status`, { status });
  };
  const look = async (): Promise<void> => {
    const selector = healed ? '' : '?fieldSelector=status.phase%3DPending';
    healed = false;
    const { items } = podsSchema.parse(await call(`/api/v1/pods${selector}`));
    for (const pod of items) await start(pod);
  };
  const play = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // A pod may go while it is looked at.
      await look().catch(() => undefined);
      await delay(EVERY);
    }
  };
  const played = play();
  return {
    spoil: (value, trouble) => bad.set(value, trouble),
    heal: (value) => {
      bad.delete(value);
      healed = true;
    },
    stop: async () => {
      stopped.abort();
      await played;
      await dispatcher.close();
    },
  };
}

const container = { name: 'app', image: 'registry.example/app:1', imageID: '', restartCount: 0 };

/** Undefined for a pod that waits for a node. */
function statusOf(trouble: Trouble | undefined, now: string): object | undefined {
  if (trouble === 'pending') return undefined;
  const ready = trouble === undefined;
  const conditions = ['Ready', 'ContainersReady'].map((type) => {
    return { type, status: ready ? 'True' : 'False', lastTransitionTime: now };
  });
  const containerStatuses = [{ ...container, ready, ...stateOf(trouble, now) }];
  return { phase: trouble === 'imagePull' ? 'Pending' : 'Running', conditions, containerStatuses };
}

function stateOf(trouble: Trouble | undefined, now: string): object {
  if (trouble === 'imagePull') return { state: { waiting: { reason: 'ImagePullBackOff' } } };
  if (trouble !== 'crash') return { state: { running: { startedAt: now } }, started: true };
  const terminated = { exitCode: 1, reason: 'Error', startedAt: now, finishedAt: now };
  return { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated }, restartCount: 3 };
}
