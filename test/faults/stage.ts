import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { newCanary } from '../integration/world.ts';
import type { ApiObject, KubeBody } from '../integration/world-api.ts';
import { awsRegion } from '../integration/world-aws.ts';
import { eventually } from '../operator/eventually.ts';
import { type EmbeddedStage, keptVersions } from './embedded.ts';
import { complaints, type Expectation } from './expectation.ts';
import type { Act, BackendChange, History, ObjectVersion, Slot, Wait } from './history.ts';
import type { OperatorSlot } from './operator-slot.ts';
import { sealedOf } from './oracles/embedded-reading.ts';
import { dataOf } from './oracles/reading.ts';
import type { BackendProxy } from './proxy/backend-proxy.ts';
import type { Rig } from './rig.ts';
import { WaitedInVain } from './waited-in-vain.ts';

/** What a scenario does with the world: people, the backend, and the operators. Everything is written down for the oracles. */
export interface Stage {
  readonly namespace: string;
  /** Nothing goes wrong in this run. */
  readonly calm: boolean;
  /** From now on every call to the backend fails, or not any more. */
  backendFails(fails: boolean): void;
  /** A new version of a secret, which becomes latest: one random text, or JSON with the properties `user` and `password`. Gives its id. */
  put(secret: string, form?: 'text' | 'fields'): Promise<string>;
  /** Moves the label of latest to a version that was put before. */
  moveLabel(secret: string, version: string): Promise<void>;
  /** Applies the manager of this run. */
  manager(options?: ManagerOptions): Promise<void>;
  /** Secrets that are kept in the cluster. */
  readonly embedded: EmbeddedStage;
  /** The numbers of the versions of a secret in the cluster that there are now, accepted or not. */
  numbersOf(secret: string): readonly number[];
  /** The public keys that they are sealed to. */
  sealedTo(secret: string): readonly string[];
  /** Applies a reference; it is expected to be synced, until `expect` says otherwise. */
  reference(name: string, data: KubeBody, spec?: KubeBody): Promise<void>;
  annotate(kind: string, name: string, annotations: Readonly<Record<string, string>>): Promise<void>;
  expect(reference: string, expectation: Expectation): void;
  /** Writes down what a person is about to do, and what may be the consequence. */
  act(kind: Act['kind'], name: string): void;
  deleteReference(name: string): Promise<void>;
  deleteSecret(name: string): Promise<void>;
  /** Applies any object in the namespace as a person. */
  apply(object: { readonly kind: string; readonly metadata: { readonly name: string } } & KubeBody): Promise<void>;
  /** A person makes a workload of one pod template that uses Secrets. No pods, unless told otherwise. */
  workload(kind: WorkloadKind, name: string, secrets: readonly string[], options?: WorkloadOptions): Promise<void>;
  /** A person changes a pod template: a merge patch of the workload. */
  editWorkload(kind: WorkloadKind, name: string, patch: KubeBody): Promise<void>;
  /** Creates a Secret as a person. */
  foreignSecret(name: string, annotations?: Readonly<Record<string, string>>): Promise<void>;
  /** A person writes into a Secret. */
  editSecret(name: string, key: string): Promise<void>;
  /** How an object is now, as far as the recorder knows; undefined where there is none. */
  now(kind: string, name: string): ObjectVersion | undefined;
  /** The status of a condition of a reference now. */
  condition(reference: string, type: string): string | undefined;
  /** The consumers that a reference's status names now. */
  consumersOf(
    reference: string,
  ): readonly { readonly name: string; readonly state: string; readonly message: string }[];
  /** The versions of a backend's secret that a target shows now. */
  versionHeld(target: string, secret: string): readonly string[];
  pods(): Promise<readonly ApiObject[]>;
  /** What a kubelet says of a pod. */
  podStatus(name: string, status: KubeBody): Promise<void>;
  /** Gives the operators time for what they must not do: a second of settling, and the pause between two rollouts. */
  temptation(): Promise<void>;
  /** Waits until a sentence about the world holds. */
  until(what: string, holds: () => boolean, law?: Wait['law']): Promise<void>;
  /** Waits until everything is as expected. */
  settle(): Promise<void>;
  readonly operators: Readonly<Partial<Record<Slot, OperatorSlot>>>;
}

export interface ManagerOptions {
  readonly secrets?: readonly string[];
  readonly onRevoked?: 'Retain' | 'Delete';
  /** It keeps secrets in the cluster. */
  readonly embedded?: true;
}

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

export interface WorkloadOptions {
  readonly replicas?: number;
  /** Added to the spec. */
  readonly spec?: KubeBody;
}

export interface StageOptions {
  readonly rig: Rig;
  readonly namespace: string;
  readonly backend: BackendProxy;
  readonly embedded: EmbeddedStage;
  readonly operators: Readonly<Partial<Record<Slot, OperatorSlot>>>;
  readonly calm: boolean;
  /** Whether the backend was away for long. */
  readonly outages: { lasting: boolean };
  /** Milliseconds that everything may take after it went wrong. */
  readonly patience: number;
  /** The parts of the history that the stage writes. */
  readonly book: {
    readonly backend: BackendChange[];
    readonly acts: Act[];
    readonly waits: Wait[];
    readonly canaries: string[];
  };
  /** The history so far. */
  readonly history: () => History;
}

export function createStage(options: StageOptions): Stage {
  const { rig, namespace, book, operators } = options;
  const expectations = new Map<string, Expectation>();
  const now: Stage['now'] = (kind, name) => {
    const last = options.history().objects.findLast((version) => version.kind === kind && version.name === name);
    return last?.type === 'DELETED' ? undefined : last;
  };
  const act: Stage['act'] = (kind, name) => {
    book.acts.push({ kind, name, at: rig.now() });
  };
  const until: Stage['until'] = async (what, holds, law = 'L1') => {
    await waitFor(options, what, law, () => {
      if (!holds()) throw new Error('it does not hold');
    });
  };
  return {
    ...backendOf(options),
    ...peopleOf(options, expectations, act),
    ...ownersOf(options),
    ...podsOf(options, now),
    ...sealedObjects(options),
    embedded: options.embedded,
    namespace,
    calm: options.calm,
    temptation: () => delay(2_500),
    operators,
    act,
    now,
    until,
    expect: (reference, expectation) => {
      expectations.set(reference, expectation);
    },
    settle: () => settle(options, expectations),
  };
}

async function settle(options: StageOptions, expectations: ReadonlyMap<string, Expectation>): Promise<void> {
  let seen: unknown;
  let wrong: readonly string[] = [];
  await waitFor(options, 'everything is as it should be', 'L1', () => {
    const history = options.history();
    // Nothing is better than before where nothing happened.
    if (history.objects !== seen || wrong.length === 0) wrong = complaints(history, expectations);
    seen = history.objects;
    if (wrong.length > 0) throw new Error(wrong.join('; '));
  });
}

/** Waits; a wait in vain is no failure of the run but something for the oracle. The run ends there. */
async function waitFor(
  { book, patience, outages }: StageOptions,
  what: string,
  law: Wait['law'],
  holds: () => void,
): Promise<void> {
  try {
    await eventually(what, holds, { deadline: patience + (outages.lasting ? longestBackoff : 0), every: 20 });
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    book.waits.push({ what, law, met: false, why });
    throw new WaitedInVain(what, { cause: error });
  }
  book.waits.push({ what, law, met: true, why: '' });
}

/** An operator that failed for long to ask a backend asks again after a minute at the latest. */
const longestBackoff = 60_000;

function backendOf({
  rig,
  namespace,
  book,
  backend,
  outages,
}: StageOptions): Pick<Stage, 'put' | 'moveLabel' | 'backendFails'> {
  return {
    backendFails: (fails) => {
      backend.fail(fails);
      outages.lasting ||= fails;
    },
    put: async (secret, form = 'text') => {
      const parts = Array.from({ length: form === 'text' ? 1 : 2 }, newCanary);
      book.canaries.push(...parts);
      const value = form === 'text' ? (parts[0] ?? '') : JSON.stringify({ user: parts[0], password: parts[1] });
      const change = { kind: 'put' as const, secret, value, at: rig.now() };
      const version = await rig.aws.put(`${namespace}/${secret}`, value);
      // The id is known only afterwards; the time is that of before.
      book.backend.push({ ...change, version });
      return version;
    },
    moveLabel: async (secret, version) => {
      const of = book.backend.filter((change) => change.secret === secret);
      const from = of.at(-1)?.version ?? '';
      const value = of.find((change) => change.version === version)?.value ?? '';
      book.backend.push({ kind: 'move', secret, version, value, at: rig.now() });
      await rig.aws.moveCurrent(`${namespace}/${secret}`, from, version);
    },
  };
}

function ownersOf(options: StageOptions): Pick<Stage, 'workload' | 'editWorkload'> {
  const { rig, namespace, book } = options;
  return {
    workload: async (kind, name, secrets, { replicas = 0, spec = {} } = {}) => {
      const counted = kind === 'DaemonSet' ? {} : { replicas };
      const served = kind === 'StatefulSet' ? { serviceName: name } : {};
      const labels = { app: name };
      const template = { metadata: { labels }, spec: { containers: [containerWith(secrets)], ...volumesOf(secrets) } };
      const whole = { selector: { matchLabels: labels }, template, ...counted, ...served, ...spec };
      await untilRecorded(options, await rig.api.apply({ kind, metadata: { name, namespace }, spec: whole }));
    },
    editWorkload: async (kind, name, patch) => {
      const at = rig.now();
      const object = await rig.api.patch(kind, { namespace, name }, patch);
      book.acts.push({ kind: 'edit-workload', name, at, revision: Number(object.metadata.resourceVersion) });
      await untilRecorded(options, object);
    },
  };
}

const conditionsSchema = z.object({
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .prefault({}),
});
const consumersSchema = z.object({
  status: z
    .object({
      consumers: z
        .array(z.object({ name: z.string(), state: z.string(), message: z.string().default('') }))
        .default([]),
    })
    .prefault({}),
});

type Pods = Pick<Stage, 'condition' | 'consumersOf' | 'versionHeld' | 'pods' | 'podStatus'>;

function podsOf({ rig, namespace, book }: StageOptions, now: Stage['now']): Pods {
  return {
    condition: (reference, type) => {
      const object = now('SecretReference', reference)?.object;
      const conditions = object === undefined ? [] : conditionsSchema.parse(object).status.conditions;
      return conditions.find((condition) => condition.type === type)?.status;
    },
    consumersOf: (reference) => {
      const object = now('SecretReference', reference)?.object;
      return object === undefined ? [] : consumersSchema.parse(object).status.consumers;
    },
    versionHeld: (target, secret) => {
      const held = now('Secret', target);
      const values = held === undefined ? [] : Object.values(dataOf(held));
      const shown = book.backend.filter((change) => change.secret === secret && values.includes(change.value));
      return shown.map(({ version }) => version);
    },
    pods: () => rig.api.list('Pod', namespace),
    podStatus: async (name, status) => {
      await rig.api.patchStatus('Pod', { namespace, name }, { status });
    },
  };
}

function sealedObjects({ history }: StageOptions): Pick<Stage, 'numbersOf' | 'sealedTo'> {
  const versionsOf = (secret: string) => {
    const last = new Map<string, ObjectVersion>();
    for (const object of history().objects) if (object.kind === 'SecretVersion') last.set(object.uid, object);
    const there = [...last.values()].filter(({ type }) => type !== 'DELETED');
    return there.map(sealedOf).filter((each) => each.secret === secret);
  };
  return {
    numbersOf: (secret) => versionsOf(secret).map(({ version }) => version),
    sealedTo: (secret) => versionsOf(secret).flatMap(({ sealed }) => sealed.map(({ key }) => key)),
  };
}

/** Each Secret is used in another way than the one before. */
function containerWith(secrets: readonly string[]): KubeBody {
  const [first, second, ...others] = secrets;
  return {
    name: 'main',
    image: 'registry.example/app:1',
    ...(first === undefined ? {} : { envFrom: [{ secretRef: { name: first } }] }),
    ...(second === undefined
      ? {}
      : { env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: second, key: 'password' } } }] }),
    volumeMounts: others.map((name) => ({ name, mountPath: `/secrets/${name}` })),
  };
}

function volumesOf(secrets: readonly string[]): KubeBody {
  return { volumes: secrets.slice(2).map((name) => ({ name, secret: { secretName: name } })) };
}

type People = Pick<
  Stage,
  'manager' | 'reference' | 'annotate' | 'deleteReference' | 'deleteSecret' | 'apply' | 'foreignSecret' | 'editSecret'
>;

function peopleOf(options: StageOptions, expectations: Map<string, Expectation>, act: Stage['act']): People {
  const { rig, namespace, book } = options;
  const { api } = rig;
  const recorded = (object: ApiObject): Promise<void> => untilRecorded(options, object);
  return {
    manager: async (wanted = {}) => recorded(await api.apply(managerObject(options, wanted))),
    reference: async (name, data, spec = {}) => {
      expectations.set(name, { state: 'Synced' });
      const managerRef = { kind: 'ClusterSecretManager', name: namespace };
      const metadata = { name, namespace };
      const rollout = { settle: '1s' };
      await recorded(
        await api.apply({ kind: 'SecretReference', metadata, spec: { managerRef, data, rollout, ...spec } }),
      );
    },
    annotate: async (kind, name, annotations) =>
      recorded(await api.patch(kind, { namespace, name }, { metadata: { annotations } })),
    deleteReference: async (name) => {
      act('delete-reference', name);
      expectations.set(name, { state: 'gone' });
      await api.delete('SecretReference', { namespace, name });
    },
    deleteSecret: async (name) => {
      act('delete-secret', name);
      await api.delete('Secret', { namespace, name });
    },
    apply: async (object) => recorded(await api.apply({ ...object, metadata: { ...object.metadata, namespace } })),
    foreignSecret: async (name, annotations = {}) => {
      const stringData = { theirs: 'something of theirs' };
      await recorded(await api.create({ kind: 'Secret', metadata: { name, namespace, annotations }, stringData }));
    },
    editSecret: async (name, key) => {
      const value = newCanary();
      book.canaries.push(value);
      act('edit-secret', name);
      const data = { [key]: Buffer.from(value).toString('base64') };
      await recorded(await api.patch('Secret', { namespace, name }, { data }));
    },
  };
}

function managerObject(
  { namespace, backend }: StageOptions,
  { secrets = ['*'], onRevoked = 'Retain', embedded }: ManagerOptions,
): KubeBody {
  if (embedded === true) {
    const spec = { embedded: { limits: { versions: keptVersions } } };
    return { kind: 'ClusterSecretManager', metadata: { name: namespace }, spec };
  }
  return {
    kind: 'ClusterSecretManager',
    metadata: { name: namespace },
    spec: {
      aws: { region: awsRegion, endpoint: backend.url, prefix: `${namespace}/` },
      pollInterval: '1s',
      access: [{ namespaces: { names: [namespace] }, secrets }],
      onRevoked,
    },
  };
}

/** What was written has to be known to whoever waits for its consequences. */
async function untilRecorded({ history }: StageOptions, { metadata }: ApiObject): Promise<void> {
  await eventually(
    `${metadata.name} is recorded`,
    () => {
      const known = history().objects.findLast(({ uid }) => uid === metadata.uid)?.revision ?? 0;
      if (known < Number(metadata.resourceVersion)) throw new Error(`only revision ${known} is`);
    },
    { every: 5 },
  );
}
