import { foldName } from '../../api/v1/embedded-name.ts';
import { clusterSecretManagers, secretManagers } from '../../api/v1/resources.ts';
import type { AccessRule, ClusterSecretManagerSpec } from '../../api/v1/secret-manager.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ruleMistakes } from '../../managers/access-rules.ts';
import type { EmbeddedBackend } from '../../managers/embedded/backend.ts';
import { ManagerError } from '../../managers/errors.ts';
import { unlimited } from '../../managers/limiter.ts';
import type { SecretManager } from '../../managers/manager.ts';
import {
  backendOf,
  credentialsSecretOf,
  type ManagerDeclaration,
  type ManagerSettings,
  namesOf,
} from '../../managers/registry.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import type { Session, SessionParts, Sessions } from '../../managers/sessions.ts';
import type { Clock } from '../../runtime/clock.ts';
import { parseDuration } from '../../runtime/duration.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ReadyManager } from '../managers.ts';
import type { CredentialWatcher } from './credentials.ts';
import type { WritableDirectory } from './directory.ts';
import { keyOf, type ManagerObject } from './manager-object.ts';
import type { Outages } from './outages.ts';
import type { Identity, IdentityProbe } from './probe.ts';
import { type ManagerFindings, nextManagerStatus, type Sealing, sameManagerStatus, type Usage } from './status.ts';

export interface ManagerScope {
  readonly client: KubeClient;
  readonly find: (key: string) => ManagerObject | undefined;
  readonly directory: WritableDirectory;
  readonly sessions: Sessions;
  readonly credentials: CredentialWatcher;
  readonly probe: IdentityProbe;
  readonly outages: Outages;
  readonly createManager: (settings: ManagerSettings) => SecretManager;
  /** Undefined where the operator keeps no secrets itself. */
  readonly embedded: EmbeddedBackend | undefined;
  /** Calls the references that name this manager. */
  readonly requeueReferences: (key: string) => void;
  readonly operatorNamespace: string;
  readonly clusterUid: () => string;
  readonly trustedLabels: ReadonlySet<string>;
  /** Where the operator works; empty: in all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A backend that refused is asked again after this many milliseconds. */
const RETRY = 30_000;
/** Milliseconds in which the references of a new session come back to it: counted before, the numbers would fall and rise at every restart. */
const GATHERING = 10_000;

/** One look at one manager: its session, what references see of it, its status. */
export async function reconcileManager(
  scope: ManagerScope,
  key: string,
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const object = scope.find(key);
  if (object === undefined) {
    forget(scope, key);
    return {};
  }
  const findings = examine(scope, key, object);
  if (findings === 'loading') return {};
  // The first status waits for the first answer: the probe calls again when it is there.
  if (findings.identity?.state === 'asking' && object.status.conditions === undefined) return {};
  await report(scope, object, findings, signal);
  if (findings.identity?.state === 'refused') {
    scope.probe.forget(key);
    return { requeueAfter: RETRY };
  }
  return findings.usage === undefined ? { requeueAfter: GATHERING } : {};
}

function forget(scope: ManagerScope, key: string): void {
  scope.sessions.remove(key);
  scope.credentials.release(key);
  scope.probe.forget(key);
  scope.outages.forget(key);
  if (scope.directory.remove(key)) scope.requeueReferences(key);
}

function examine(scope: ManagerScope, key: string, object: ManagerObject): ManagerFindings | 'loading' {
  const credentials = readCredentials(scope, key, object);
  const { uid, generation } = object.metadata;
  if (credentials === 'loading') {
    // Nothing is decided meanwhile: what was published before may stand for other access rules and other credentials.
    if (scope.directory.set(key, `${uid}/${generation}/loading`, { state: 'starting' })) scope.requeueReferences(key);
    return 'loading';
  }
  if ('problem' in credentials) return broken(scope, key, `${uid}/${generation}/none`, credentials.problem);
  const fingerprint = `${uid}/${generation}/${credentials.version}`;
  try {
    const session = openSession(scope, key, object, fingerprint, credentials.data);
    publish(scope, key, object, fingerprint, session);
    const sealing = sealingOf(scope, object);
    const mistakes = 'access' in object.spec ? ruleMistakes(object.spec.access ?? [], scope.trustedLabels) : [];
    return {
      problem: mistakes[0],
      outage: scope.outages.reasonOf(key),
      identity: askIdentity(scope, key, fingerprint, session, sealing),
      usage: usageOf(scope, object, session),
      sealing,
    };
  } catch (error) {
    if (!(error instanceof ManagerError)) throw error;
    return broken(scope, key, fingerprint, error.message);
  }
}

function usageOf(scope: ManagerScope, object: ManagerObject, { source, openedAt }: Session): Usage | undefined {
  const gathers = scope.clock.monotonic() - openedAt < GATHERING;
  return gathers && (object.status.referencesInUse ?? 0) > 0 ? undefined : source.usage();
}

type Keys =
  | { readonly version: string; readonly data: ReadonlyMap<string, SecretValue> | undefined }
  | { readonly problem: string };

function readCredentials(scope: ManagerScope, key: string, object: ManagerObject): Keys | 'loading' {
  const name = credentialsSecretOf(object.spec);
  if (name === undefined) {
    scope.credentials.release(key);
    return { version: 'own', data: undefined };
  }
  const namespace = object.kind === 'SecretManager' ? object.metadata.namespace : scope.operatorNamespace;
  const credentials = scope.credentials.read(key, namespace, name);
  if (credentials.state === 'loading') return 'loading';
  if (credentials.state === 'present') return credentials;
  return { problem: `its credentials are missing: there is no Secret ${name} in namespace ${namespace}` };
}

function openSession(
  scope: ManagerScope,
  key: string,
  object: ManagerObject,
  fingerprint: string,
  credentials: ReadonlyMap<string, SecretValue> | undefined,
): Session {
  const build = (): SessionParts => {
    const manager = scope.createManager({
      ...declaration(object),
      name: object.metadata.name,
      credentials,
      clusterUid: scope.clusterUid(),
      managerUid: object.metadata.uid,
      embedded: scope.embedded,
      clock: scope.clock,
      logger: scope.logger.child({ manager: key }),
    });
    // What the former session met says nothing about this one.
    scope.outages.forget(key);
    const backend = backendOf(object.spec);
    // A watch tells of what changes, and the answers are in the operator's own caches: there is nobody to spare.
    const limiter = backend === 'embedded' ? { limiter: unlimited } : {};
    return { manager, backend, pollInterval: parseDuration(object.spec.pollInterval), ...limiter };
  };
  return scope.sessions.ensure(key, fingerprint, build);
}

function declaration(object: ManagerObject): ManagerDeclaration {
  return object.kind === 'SecretManager'
    ? { kind: object.kind, spec: object.spec }
    : { kind: object.kind, spec: object.spec };
}

function publish(scope: ManagerScope, key: string, object: ManagerObject, fingerprint: string, session: Session): void {
  const cluster = object.kind === 'ClusterSecretManager' ? object.spec : undefined;
  const state: ReadyManager = {
    state: 'ready',
    source: session.source,
    names: namesOf(object.spec, object.kind === 'SecretManager' ? object.metadata.namespace : ''),
    access: cluster === undefined ? undefined : accessOf(cluster),
    onRevoked: cluster?.onRevoked ?? 'Retain',
    contact: object.spec.contact,
  };
  if (scope.directory.set(key, fingerprint, state)) scope.requeueReferences(key);
}

/** Without rules nobody gets anything, but for what a namespace keeps itself. Names of embedded secrets are without regard to case. */
function accessOf({ embedded, access }: ClusterSecretManagerSpec): readonly AccessRule[] | undefined {
  if (embedded === undefined) return access ?? [];
  if (access === undefined) return embedded.namespace === undefined ? undefined : [];
  return access.map((rule) => ({ ...rule, secrets: rule.secrets.map((pattern) => foldName(pattern)) }));
}

function broken(scope: ManagerScope, key: string, fingerprint: string, problem: string): ManagerFindings {
  scope.sessions.remove(key);
  scope.probe.forget(key);
  const seen = `${fingerprint}/${problem}`;
  if (scope.directory.set(key, seen, { state: 'broken', message: problem })) scope.requeueReferences(key);
  return { problem, outage: undefined, identity: undefined, usage: { secrets: 0, subscribers: 0 } };
}

/** Undefined for a manager that seals nothing. */
function sealingOf({ embedded, clusterUid }: ManagerScope, { spec }: ManagerObject): Sealing | undefined {
  if (backendOf(spec) !== 'embedded') return undefined;
  const current = embedded?.publicKey();
  if (current === undefined) return { state: 'unknown' };
  if ('problem' in current) return { state: 'missing', problem: current.problem };
  return { state: 'known', publicKey: current.key, cluster: clusterUid(), backup: current.backup };
}

/** The name of an embedded manager says which key it seals to: with another key it is asked again, and the session stays. */
function askIdentity(
  { probe }: ManagerScope,
  key: string,
  fingerprint: string,
  { manager }: Session,
  sealing: Sealing | undefined,
): Identity | undefined {
  if (sealing === undefined) return probe.ask(key, fingerprint, manager);
  if (sealing.state === 'unknown') return { state: 'asking' };
  return sealing.state === 'known' ? probe.ask(key, `${fingerprint}/${sealing.publicKey}`, manager) : undefined;
}

async function report(
  scope: ManagerScope,
  object: ManagerObject,
  findings: ManagerFindings,
  signal: AbortSignal,
): Promise<void> {
  const status = {
    ...nextManagerStatus(object, findings, new Date(scope.clock.now()).toISOString()),
    // Whoever works in another namespace can see it nowhere else: the operator's flags and its lease are not theirs to read.
    ...(scope.watchNamespaces.length > 0 && { watchNamespaces: [...scope.watchNamespaces] }),
  };
  if (sameManagerStatus(object.status, status)) return;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const where = object.kind === 'SecretManager' ? { namespace } : {};
  const body = { metadata: { name, ...where, uid, resourceVersion }, status };
  const resource = object.kind === 'SecretManager' ? secretManagers : clusterSecretManagers;
  await scope.client.apply(resource, body, { signal, fieldManager: 'keyferry', force: true, subresource: 'status' });
  scope.logger.debug('wrote the status of a manager', { manager: keyOf(object) });
}
