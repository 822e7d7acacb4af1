import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { annotations } from '../../src/api/v1/names.ts';
import type { Consumer, RolledKind } from '../../src/api/v1/rollout.ts';
import type { SecretReferenceStatus } from '../../src/api/v1/secret-reference.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { type ApiObject, type KubeBody, objectSchema } from './server-object.ts';
import type { World } from './world.ts';
import { type ClusterClient, createClusterClient, type Kind } from './rollouts-client.ts';

/** How a workload uses a Secret. */
export type Usage = 'env' | 'envFrom' | 'volume' | 'projected' | 'imagePull' | 'initEnv' | 'initEnvFrom';

export interface WorkloadOptions {
  /** The Secrets that it uses, and how. By default `db`, by `envFrom`. */
  readonly uses?: Readonly<Record<string, Usage | readonly Usage[]>>;
  /** 0 by default: then there are no pods to wait for, and it is complete as soon as it is marked. */
  readonly replicas?: number;
  /** Of the workload. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of the pod template. */
  readonly templateAnnotations?: Readonly<Record<string, string>>;
  /** Added to the spec. */
  readonly spec?: KubeBody;
}

export interface ReferenceOptions {
  readonly rollout?: KubeBody;
  /** Added to the spec. */
  readonly spec?: KubeBody;
}

/** A namespace with references and workloads in it, for one test. */
export interface Shop {
  readonly namespace: string;
  readonly client: ClusterClient;
  /** Name of a secret of this namespace in the manager. */
  secret(name: string): string;
  /** A new version of a secret of this namespace; gives its id. */
  put(name: string, value?: string): Promise<string>;
  /** Applies a reference to the secret of the same name, with the key `password`, and waits until it is synced. */
  reference(name?: string, options?: ReferenceOptions): Promise<void>;
  /** A new version, and all that comes of it. Gives the id of the version. */
  rotate(name?: string, reason?: string): Promise<string>;
  /** Waits until a reference holds a version, and its condition RolledOut has a reason. */
  rolledOut(name: string, version: string, reason?: string): Promise<SecretReferenceStatus>;
  /** Creates a workload as `kubectl create` would. */
  workload(kind: RolledKind, name: string, options?: WorkloadOptions): Promise<ApiObject>;
  manifest(kind: RolledKind, name: string, options?: WorkloadOptions): KubeBody;
  get(kind: Kind, name: string): Promise<ApiObject>;
  /** JSON merge patch of a workload by a person. */
  edit(kind: Kind, name: string, body: KubeBody): Promise<ApiObject>;
  /** Our markers in the pod template. */
  markers(kind: RolledKind, name: string): Promise<Readonly<Record<string, string>>>;
  /** The one marker of a target. */
  marker(kind: RolledKind, name: string, target?: string): Promise<string | undefined>;
  /** How many templates a workload has had, once its controller knows the present one. */
  revisions(kind: RolledKind, name: string): Promise<number>;
  /** The content that a Secret names. */
  content(target?: string): Promise<string>;
  status(reference?: string): Promise<SecretReferenceStatus>;
  /** A consumer in the status of a reference. @throws where it is none. */
  consumer(who: string, reference?: string): Promise<Consumer>;
  /** Waits until a consumer ("Deployment api") is in one of these states. */
  until(who: string, state: Consumer['state'], reference?: string): Promise<Consumer>;
  /** Waits until the ledger knows these consumers ("Deployment api"). */
  known(reference: string, ...who: readonly string[]): Promise<void>;
  /** Another reference and its consumer: when they are through, the operator has seen what had happened before. */
  witness(): Promise<void>;
  /** The same after a sync of a reference that somebody asked for. */
  fence(reference?: string): Promise<void>;
  kubectl(...args: readonly string[]): Promise<string>;
}

export async function openShop(world: World): Promise<Shop> {
  const namespace = await world.namespace();
  const client = createClusterClient(world.cluster, namespace);
  const base = { namespace, client };
  const workloads = workloadsOf(world, base);
  const references = referencesOf(world, base);
  const witness = async (): Promise<void> => {
    if ((await client.find('Deployment', 'witness')) === undefined) {
      await references.put('witness');
      await references.reference('witness');
      await workloads.workload('Deployment', 'witness', { uses: { witness: 'env' } });
      await references.known('witness', 'Deployment witness');
    }
    await references.rotate('witness');
  };
  return {
    ...base,
    ...workloads,
    ...references,
    witness,
    fence: async (reference = 'db') => {
      await forceSync(world, namespace, reference);
      await witness();
    },
    kubectl: (...args) => world.kubectl('-n', namespace, ...args),
  };
}

type Base = Pick<Shop, 'namespace' | 'client'>;
type WorkloadSide = Pick<
  Shop,
  'workload' | 'manifest' | 'get' | 'edit' | 'markers' | 'marker' | 'revisions' | 'content'
>;
type ReferenceSide = Pick<
  Shop,
  'secret' | 'put' | 'reference' | 'rotate' | 'rolledOut' | 'status' | 'consumer' | 'until' | 'known'
>;

function workloadsOf(world: World, { namespace, client }: Base): WorkloadSide {
  const manifest: Shop['manifest'] = (kind, name, options) => manifestOf(kind, namespace, name, options);
  const markers: Shop['markers'] = async (kind, name) => {
    const { metadata } = templateOf(kind, await client.get(kind, name));
    const ours = Object.entries(metadata.annotations).filter(([key]) => key.startsWith(annotations.marker));
    return Object.fromEntries(ours.map(([key, value]) => [key.slice(annotations.marker.length), value]));
  };
  return {
    manifest,
    workload: (kind, name, options) => client.create(kind, manifest(kind, name, options)),
    get: (kind, name) => client.get(kind, name),
    edit: (kind, name, body) => client.patch(kind, name, body),
    markers,
    marker: async (kind, name, target = 'db') => (await markers(kind, name))[target],
    revisions: (kind, name) => countRevisions(client, kind, name),
    content: async (target = 'db') => {
      const { metadata } = await world.api.get('Secret', { namespace, name: target });
      return metadata.annotations[annotations.content] ?? '';
    },
  };
}

function referencesOf(world: World, { namespace }: Base): ReferenceSide {
  const secret: Shop['secret'] = (name) => `${namespace}/${name}`;
  const put: Shop['put'] = (name, value = world.canary()) => world.aws.put(secret(name), value);
  const status: Shop['status'] = (reference = 'db') => world.status(namespace, reference);
  const consumer: Shop['consumer'] = async (who, reference) => {
    const { consumers = [] } = await status(reference);
    const found = consumers.find(({ kind, name }) => `${kind} ${name}` === who);
    if (found === undefined) throw new Error(`${who} is no consumer`);
    return found;
  };
  const rolledOut: Shop['rolledOut'] = (name, version, reason = 'Complete') =>
    eventually(`${namespace}/${name} has rolled out ${version}: ${reason}`, async () => {
      const seen = await status(name);
      const condition = seen.conditions?.find(({ type }) => type === 'RolledOut');
      const holds = seen.versions?.some((held) => held.version === version) === true;
      if (holds && condition?.reason === reason) return seen;
      throw new Error(`it holds ${seen.summary}, and is ${condition?.reason}: ${condition?.message}`);
    });
  return {
    secret,
    put,
    status,
    consumer,
    rolledOut,
    reference: async (name = 'db', { rollout = {}, spec = {} } = {}) => {
      const data = { password: { secret: secret(name) } };
      await world.reference(namespace, name, { data, rollout: { settle: '1s', ...rollout }, ...spec });
      await world.waitReady(namespace, name, 'Synced');
    },
    rotate: async (name = 'db', reason) => {
      const version = await put(name);
      await rolledOut(name, version, reason);
      return version;
    },
    until: (who, state, reference) =>
      eventually(`${who} in ${namespace} is ${state}`, async () => {
        const found = await consumer(who, reference);
        if (found.state !== state) throw new Error(`it is ${found.state}: ${found.message ?? ''}`);
        return found;
      }),
    known: (reference, ...who) =>
      eventually(`${who.join(', ')} are known`, async () => {
        for (const one of who) await consumer(one, reference);
      }),
  };
}

/** Asks for a sync and waits until the status says that it was done. */
export async function forceSync(world: World, namespace: string, name: string): Promise<void> {
  const request = randomUUID();
  const metadata = { annotations: { [annotations.sync]: request } };
  await world.api.patch('SecretReference', { namespace, name }, { metadata });
  await eventually(`the sync ${request} was done`, async () => {
    const { lastSyncRequest } = await world.status(namespace, name);
    if (lastSyncRequest !== request) throw new Error(`the last was ${lastSyncRequest}`);
  });
}

const image = 'registry.example/app:1';

function manifestOf(
  kind: RolledKind,
  namespace: string,
  name: string,
  { uses = { db: 'envFrom' }, replicas = 0, spec = {}, ...options }: WorkloadOptions = {},
): KubeBody {
  const labels = { app: name };
  const annotated = options.templateAnnotations === undefined ? {} : { annotations: options.templateAnnotations };
  const template = { metadata: { labels, ...annotated }, spec: podSpecOf(uses) };
  const common = { selector: { matchLabels: labels }, template };
  const specs: Readonly<Record<RolledKind, KubeBody>> = {
    Deployment: { ...common, replicas },
    StatefulSet: { ...common, replicas, serviceName: name },
    DaemonSet: { ...common, template: { ...template, spec: { ...template.spec, ...daemonPod(replicas) } } },
    Rollout: { ...common, replicas },
    CronJob: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: onceOf(template) } } },
  };
  const metadata = { name, namespace, annotations: options.annotations ?? {} };
  return { kind, metadata, spec: { ...specs[kind], ...spec } };
}

function onceOf(template: { readonly spec: KubeBody }): KubeBody {
  return { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
}

/** A node that DaemonSets with replicas put a pod on. Nobody tends it: its taints are tolerated. */
export async function addNode(world: World): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels: { pool: 'some' } } };
  await runKubectl(world.cluster, ['create', '-f', '-'], JSON.stringify(node));
}

/** Nobody tends the nodes of these tests: their taints are tolerated. */
function daemonPod(replicas: number): KubeBody {
  const nodes = replicas === 0 ? 'none' : 'some';
  return { tolerations: [{ operator: 'Exists' }], nodeSelector: { pool: nodes } };
}

export function podSpecOf(uses: Readonly<Record<string, Usage | readonly Usage[]>>): KubeBody {
  const has = (usage: Usage): readonly string[] =>
    Object.entries(uses).flatMap(([name, how]) => ([how].flat().includes(usage) ? [name] : []));
  const env = (names: readonly string[]): readonly KubeBody[] =>
    names.map((name, index) => ({
      name: `PASSWORD_${index}`,
      valueFrom: { secretKeyRef: { name, key: 'password', optional: true } },
    }));
  const envFrom = (names: readonly string[]): readonly KubeBody[] => names.map((name) => ({ secretRef: { name } }));
  const init = [...has('initEnv'), ...has('initEnvFrom')].map((_, index) => ({
    name: `init-${index}`,
    image,
    env: env(has('initEnv')),
    envFrom: envFrom(has('initEnvFrom')),
  }));
  const volumes = [
    ...has('volume').map((secretName) => ({ name: `v-${secretName}`, secret: { secretName } })),
    ...has('projected').map((name) => ({ name: `p-${name}`, projected: { sources: [{ secret: { name } }] } })),
  ];
  const containers = [{ name: 'app', image, env: env(has('env')), envFrom: envFrom(has('envFrom')) }];
  return {
    containers,
    ...(init.length === 0 ? {} : { initContainers: init }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(has('imagePull').length === 0 ? {} : { imagePullSecrets: has('imagePull').map((name) => ({ name })) }),
    terminationGracePeriodSeconds: 0,
  };
}

const templateSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).default({}) }).default({ annotations: {} }),
  spec: z.unknown(),
});
const withTemplate = z.object({ spec: z.object({ template: templateSchema }) });
const cronJobSchema = z.object({ spec: z.object({ jobTemplate: withTemplate }) });

type Template = z.infer<typeof templateSchema>;

export function templateOf(kind: RolledKind, object: unknown): Template {
  if (kind === 'CronJob') return cronJobSchema.parse(object).spec.jobTemplate.spec.template;
  return withTemplate.parse(object).spec.template;
}

/** A part of a spec that is about the pod template. */
export function inTemplate(kind: RolledKind, part: KubeBody): KubeBody {
  return kind === 'CronJob' ? { spec: { jobTemplate: { spec: { template: part } } } } : { spec: { template: part } };
}

const observedSchema = z.object({
  metadata: z.object({ uid: z.string(), generation: z.int() }),
  status: z.object({ observedGeneration: z.int().default(0) }).default({ observedGeneration: 0 }),
});

async function countRevisions(client: ClusterClient, kind: RolledKind, name: string): Promise<number> {
  if (kind === 'CronJob' || kind === 'Rollout')
    return objectSchema.parse(await client.get(kind, name)).metadata.generation ?? 0;
  const { metadata } = await eventually(`the controller of ${kind} ${name} knows its spec`, async () => {
    const seen = observedSchema.parse(await client.get(kind, name));
    if (seen.status.observedGeneration < seen.metadata.generation) throw new Error('not yet');
    return seen;
  });
  const revisions = await client.list(kind === 'Deployment' ? 'ReplicaSet' : 'ControllerRevision');
  return revisions.filter((item) => item.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid)).length;
}
