import { z } from 'zod';
import { versionObjectName } from '../../api/v1/embedded-name.ts';
import type { SecretVersionStatus } from '../../api/v1/secret-version.ts';
import type { VersionedSecretStatus } from '../../api/v1/versioned-secret.ts';
import type { KubeError } from '../../kube/errors.ts';
import type { EventInput } from '../../kube/event-series.ts';
import { type RawObject, rawObjectSchema } from '../../kube/object.ts';
import { createStore, type Store } from '../../kube/store.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { defaultLimits, type EmbeddedBackend } from '../../managers/embedded/backend.ts';
import { seal } from '../../managers/embedded/sealing/envelope.ts';
import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import type { AuditEntry } from '../audit.ts';
import { type AuditTrail, createAuditTrail } from '../audit-trail.ts';
import type { GateState } from '../embedded/gate.ts';
import { createObjectView } from '../object-view.ts';
import { createEmbeddedBackend } from '../versioned-secret/backend.ts';
import type { NamespaceLimits } from '../versioned-secret/limits.ts';
import { reconcileSecret, type SecretScope } from '../versioned-secret/reconcile.ts';
import { type SecretTypeObject, toSecretType } from '../versioned-secret/secret-type.ts';
import { type SecretVersion, secretVersionIndexes, toSecretVersion } from '../versioned-secret/secret-version.ts';
import { type Usage, usageOf } from '../versioned-secret/users.ts';
import {
  toVersionedSecret,
  type VersionedSecret,
  versionedSecretIndexes,
} from '../versioned-secret/versioned-secret.ts';
import { createRecordingClient, kubeError, type RecordedCall } from './recording-client.ts';

const namespace = 'shop';
const secretName = 'db.password';
const secretKey = `versionedsecrets/${namespace}/${secretName}`;

/** A version as a test puts it. */
export interface PutOptions {
  readonly value?: string;
  readonly from?: number;
  /** Null for a service account that leaves its name out. */
  readonly by?: string | null;
  /** Whether it carries the label that lets it be trimmed. */
  readonly trim?: boolean;
  /** Where it says that it belongs, if elsewhere. */
  readonly place?: Partial<Record<'cluster' | 'namespace' | 'secret' | 'uid' | 'type', string>> & { version?: number };
  readonly key?: SealingKey;
}

const versionKey = (version: number): string => `secretversions/${namespace}/${versionObjectName(secretName, version)}`;

const sentSchema = z.looseObject({
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  metadata: z.looseObject({ uid: z.string().optional(), resourceVersion: z.string().optional() }).optional(),
  spec: z.looseObject({}).optional(),
  status: z.unknown().optional(),
});

/** The controller of one secret, `db.password` in `shop`, over an API server of a few objects. Tests turn its public fields. */
export class EmbeddedCluster {
  readonly clock = createFakeClock();
  readonly key: SealingKey;
  readonly client = createRecordingClient((call) => this.#answer(call));
  readonly audited: AuditEntry[] = [];
  readonly events: EventInput[] = [];
  readonly verdicts: string[] = [];
  gate: GateState = { open: true };
  allowed: (user: string) => boolean = () => true;
  limits: NamespaceLimits = { ...defaultLimits, manager: 'default' };
  ring: KeyRing;
  usage: Usage = usageOf([], namespace, secretName);
  /** The call that fails, and how. */
  fail: (call: RecordedCall) => KubeError | undefined = () => undefined;
  /** So many more writes reach the API server before the operator is killed. */
  writesLeft = Infinity;
  /** Whether the caches learn of changes only by `sync`. */
  lagging = false;
  /** Versions whose watch event has not come yet. */
  unseen: readonly number[] = [];
  trail: AuditTrail = this.#trail();
  readonly #objects = new Map<string, RawObject>();
  readonly #types = new Map<string, SecretTypeObject>();
  #counter = 100;
  #seen = 0;
  #process = this.#start();

  private constructor(key: SealingKey) {
    this.key = key;
    this.ring = keyRing([key], key, undefined);
  }

  static async create(): Promise<EmbeddedCluster> {
    const cluster = new EmbeddedCluster(await SealingKey.generate());
    cluster.secret();
    return cluster;
  }

  /** Makes or changes the VersionedSecret. */
  secret(spec: object = {}, uid = 'secret-uid'): void {
    const before = this.#objects.get(secretKey);
    const metadata = before?.metadata ?? { ...this.#metadata(secretName), uid };
    this.#store(secretKey, { ...before, metadata: { ...metadata, generation: metadata.generation + 1 }, spec });
  }

  /** Somebody deleted it, and a finalizer keeps it. */
  terminateSecret(): void {
    this.#terminate(secretKey);
  }

  /** The same of a version. */
  terminate(version: number): void {
    this.#terminate(versionKey(version));
  }

  #terminate(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) throw new Error(`there is no ${key}`);
    const deletionTimestamp = new Date(this.clock.now()).toISOString();
    this.#store(key, { ...object, metadata: { ...object.metadata, deletionTimestamp } });
  }

  dropSecret(): void {
    this.#objects.delete(secretKey);
    this.#told();
  }

  async put(version: number, options: PutOptions = {}): Promise<void> {
    const { value = `value-${version}`, from, by = 'alice', trim = true, place = {}, key = this.key } = options;
    const here = { cluster: 'cluster', namespace, secret: secretName, uid: 'secret-uid', version, type: '', ...place };
    const data = await seal(SecretValue.fromString(value), here, key.publicKey);
    const sealed = { sealed: [{ key: key.publicKey, data }] };
    const repeated = { from: { version: from }, ...(options.value !== undefined && sealed) };
    const content = from === undefined ? sealed : repeated;
    const metadata = this.#metadata(versionObjectName(secretName, version));
    this.#store(versionKey(version), {
      metadata: { ...metadata, labels: trim ? { 'keyferry.io/trim': 'true' } : {} },
      spec: { secret: secretName, version, ...content, ...(by !== null && { createdBy: by }) },
    });
  }

  /** Puts other bytes into an object, as somebody could who writes to etcd. */
  async alter(version: number, value: string): Promise<void> {
    const before = this.#objects.get(versionKey(version));
    await this.put(version, { value });
    const after = this.#objects.get(versionKey(version));
    if (before !== undefined && after !== undefined)
      this.#store(versionKey(version), { ...before, spec: after['spec'] });
  }

  drop(version: number): void {
    this.#objects.delete(versionKey(version));
    this.#told();
  }

  type(name: string, schema: object): void {
    this.#types.set(name, toSecretType({ metadata: this.#metadata(name), spec: { schema } }));
  }

  /** One look. Rejects where the operator was killed on the way. */
  look(): Promise<{ requeueAfter?: number }> {
    return reconcileSecret(this.#process.scope, { namespace, name: secretName }, new AbortController().signal);
  }

  /** What managers ask, over the caches of the process that runs now. */
  backend(): EmbeddedBackend {
    return createEmbeddedBackend(this.#process.scope);
  }

  /** A new process, which remembers nothing and whose caches know everything. */
  restart(): void {
    this.writesLeft = Infinity;
    this.trail = this.#trail();
    this.#process = this.#start();
  }

  /** The caches learn what there is. */
  sync(): void {
    this.#fill(this.#process);
  }

  status(): VersionedSecretStatus {
    const raw = this.#objects.get(secretKey);
    return raw === undefined ? {} : toVersionedSecret(raw).status;
  }

  /** Undefined where there is no such object. */
  versionStatus(version: number): SecretVersionStatus | undefined {
    const raw = this.#objects.get(versionKey(version));
    return raw === undefined ? undefined : toSecretVersion(raw).status;
  }

  /** The versions that there are accepted, as objects and in the status of the secret. */
  accepted(): readonly number[] {
    return (this.status().versions ?? []).map(({ version }) => version);
  }

  /** The writes since this was last asked. */
  writes(): readonly string[] {
    const all = this.client.calls.slice(this.#seen).filter(({ verb }) => verb !== 'get' && verb !== 'review');
    this.#seen = this.client.calls.length;
    return all.map(({ verb, object }) => `${verb} ${object}`);
  }

  #metadata(name: string): RawObject['metadata'] {
    this.#counter += 1;
    const creationTimestamp = new Date(this.clock.now()).toISOString();
    return rawObjectSchema.parse({
      metadata: { name, namespace, uid: `uid-${this.#counter}`, resourceVersion: '1', creationTimestamp },
    }).metadata;
  }

  #store(key: string, object: RawObject): RawObject {
    this.#counter += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#counter) } };
    this.#objects.set(key, stored);
    this.#told();
    return stored;
  }

  #told(): void {
    if (!this.lagging) this.sync();
  }

  #answer(call: RecordedCall): object | KubeError {
    const failure = this.fail(call);
    if (failure !== undefined) return failure;
    if (call.verb === 'review') {
      const { user } = z.looseObject({ user: z.string() }).parse(call.body);
      return { allowed: this.allowed(user) };
    }
    const found = this.#objects.get(call.object);
    if (call.verb === 'get') return found ?? kubeError(404, 'NotFound');
    if (this.writesLeft <= 0) throw new Error('killed');
    this.writesLeft -= 1;
    return this.#write(call, found);
  }

  #write(call: RecordedCall, found: RawObject | undefined): object | KubeError {
    const nothing = { metadata: { name: 'gone', uid: 'gone', resourceVersion: '1' } };
    if (found === undefined) return call.verb === 'delete' ? nothing : kubeError(404, 'NotFound');
    const { metadata, spec, status, ...preconditions } = sentSchema.parse(call.body);
    const { uid, resourceVersion } = metadata ?? preconditions;
    const { metadata: now } = found;
    const holds = (uid ?? now.uid) === now.uid && (resourceVersion ?? now.resourceVersion) === now.resourceVersion;
    if (!holds) return kubeError(409, 'Conflict');
    if (call.verb === 'delete') {
      this.#objects.delete(call.object);
      this.#told();
      return nothing;
    }
    const before = z.looseObject({}).parse(found['spec']);
    const changed = call.verb === 'apply' ? { status } : { spec: { ...before, ...spec } };
    return this.#store(call.object, { ...found, ...changed });
  }

  #fill(process: Process): void {
    const unseen = new Set(this.unseen.map(versionKey));
    const of = (plural: string): RawObject[] =>
      [...this.#objects].filter(([key]) => key.startsWith(plural) && !unseen.has(key)).map(([, object]) => object);
    process.fill(of('versionedsecrets').map(toVersionedSecret), of('secretversions').map(toSecretVersion));
  }

  #trail(): AuditTrail {
    const record = (entry: AuditEntry): Promise<void> => Promise.resolve(void this.audited.push(entry));
    return createAuditTrail({ record }, this.clock);
  }

  #start(): Process {
    const logger = createRecordingLogger();
    const secrets = createStore<VersionedSecret>({ logger, indexes: versionedSecretIndexes });
    const versions = createStore<SecretVersion>({ logger, indexes: secretVersionIndexes });
    const [secretWriter, versionWriter] = [secrets.writer(), versions.writer()];
    const process = {
      scope: this.#scope(secrets, versions),
      fill: (allSecrets: readonly VersionedSecret[], allVersions: readonly SecretVersion[]): void => {
        secretWriter.replace(allSecrets, false);
        versionWriter.replace(allVersions, false);
      },
    };
    this.#fill(process);
    return process;
  }

  #scope(secrets: Store<VersionedSecret>, versions: Store<SecretVersion>): SecretScope {
    const { trail } = this;
    return {
      client: this.client,
      clock: this.clock,
      gate: { confirm: () => Promise.resolve(this.gate) },
      authorizer: { mayDo: ({ user }) => Promise.resolve(this.allowed(user)) },
      ring: () => this.ring,
      type: (name) => this.#types.get(name),
      clusterUid: () => 'cluster',
      view: createObjectView<VersionedSecret>((at) => secrets.get(at.namespace, at.name)),
      secrets,
      versions,
      usage: () => this.usage,
      limits: () => this.limits,
      operator: () => 'the operator',
      trail,
      audit: { record: (entry) => Promise.resolve(void this.audited.push(entry)) },
      events: { record: (event) => this.events.push(event) },
      lastWrites: new Map(),
      known: new Map(),
      versionView: createObjectView<SecretVersion>((at) => versions.get(at.namespace, at.name)),
      onVerdict: (result) => this.verdicts.push(result),
    };
  }
}

interface Process {
  readonly scope: SecretScope;
  fill(secrets: readonly VersionedSecret[], versions: readonly SecretVersion[]): void;
}
