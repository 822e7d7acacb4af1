import { z } from 'zod';

/** The app of the demo crashes with this password. One with a readiness probe goes on, and never gets ready. */
const REFUSED = 'bad-password';

/** Milliseconds after which a container that crashed is started again, as the kubelet does at first. */
const RESTART = 10_000;

const secretKeySchema = z.object({ name: z.string(), key: z.string() });
const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  readinessProbe: z.object({}).optional(),
  env: z.array(z.object({ valueFrom: z.object({ secretKeyRef: secretKeySchema.optional() }).optional() })).default([]),
});
const containerStatusSchema = z.object({
  restartCount: z.int(),
  state: z.object({ running: z.object({}).optional() }),
  lastState: z.object({ terminated: z.object({ finishedAt: z.string() }).optional() }),
});

/** A pod as a node looks at it. */
export const nodePodSchema = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ containers: z.array(containerSchema) }),
  status: z.object({ containerStatuses: z.array(containerStatusSchema).default([]) }).prefault({}),
});
export type NodePod = z.infer<typeof nodePodSchema>;

export type PodStatus = Readonly<Record<string, unknown>>;

/** The value of a key of a Secret now; undefined where there is none. */
type ValueOf = (secret: string, key: string) => Promise<string | undefined>;

/** What a node that starts a pod now, or starts it again, has to say of it; undefined where nothing is to be started. */
export async function statusOfPod(pod: NodePod, valueOf: ValueOf, now: number): Promise<PodStatus | undefined> {
  const [before] = pod.status.containerStatuses;
  if (pod.metadata.deletionTimestamp !== undefined || before?.state.running !== undefined) return undefined;
  const ended = before?.lastState.terminated?.finishedAt;
  if (ended !== undefined && now - Date.parse(ended) < RESTART) return undefined;
  const refs = pod.spec.containers.flatMap(({ env }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []));
  const values = await Promise.all(refs.map(({ name, key }) => valueOf(name, key)));
  // A container does not start without them.
  if (values.includes(undefined)) return undefined;
  const restarts = ended === undefined ? 0 : (before?.restartCount ?? 0) + 1;
  return statusWith(pod, values.includes(REFUSED), restarts, new Date(now).toISOString());
}

function statusWith({ spec }: NodePod, refused: boolean, restartCount: number, time: string): PodStatus {
  const crashes = refused && spec.containers.every(({ readinessProbe }) => readinessProbe === undefined);
  const terminated = { exitCode: 1, reason: 'Error', startedAt: time, finishedAt: time };
  const how = crashes
    ? { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } }
    : { state: { running: { startedAt: time } }, lastState: {} };
  const status = refused ? 'False' : 'True';
  return {
    phase: 'Running',
    conditions: ['ContainersReady', 'Ready'].map((type) => ({ type, status, lastTransitionTime: time })),
    containerStatuses: spec.containers.map(({ name, image }) => ({
      ...how,
      name,
      image,
      imageID: '',
      ready: !refused,
      started: !crashes,
      restartCount,
    })),
  };
}
