import { conditionOf } from '../api/v1/conditions.ts';
import type { ManagerRef } from '../api/v1/secret-reference.ts';
import type { AuditLog } from '../controllers/audit.ts';
import { createAuditTrail } from '../controllers/audit-trail.ts';
import { createAuthorizer } from '../controllers/embedded/authorizer.ts';
import { createPolicyGate } from '../controllers/embedded/gate.ts';
import { createObjectView, type ObjectView } from '../controllers/object-view.ts';
import { createRevealController } from '../controllers/secret-reveal/controller.ts';
import { createEmbeddedBackend } from '../controllers/versioned-secret/backend.ts';
import { limitsFor } from '../controllers/versioned-secret/limits.ts';
import { reconcileSecret, type SecretScope } from '../controllers/versioned-secret/reconcile.ts';
import type { SecretVersion } from '../controllers/versioned-secret/secret-version.ts';
import { createUsageIndex, type UsageIndex } from '../controllers/versioned-secret/usage-index.ts';
import { usageOf } from '../controllers/versioned-secret/users.ts';
import { type VersionedSecret, writtenName } from '../controllers/versioned-secret/versioned-secret.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { Change } from '../kube/store.ts';
import type { EmbeddedBackend } from '../managers/embedded/backend.ts';
import { homeOf } from '../managers/embedded/names.ts';
import type { KeyRing } from '../managers/embedded/sealing/sealing-key.ts';
import { type Controller, createController } from '../runtime/controller.ts';
import type { Workers } from '../runtime/lifecycle.ts';
import { counter } from '../runtime/metrics.ts';
import { parseRequestKey } from '../runtime/request.ts';
import type { Caches } from './caches.ts';
import type { EmbeddedCaches } from './embedded-caches.ts';
import { watchEmbeddedSecrets, watchGate } from './embedded-metrics.ts';
import type { OperatorParts } from './parts.ts';
import { openKeys } from './sealing-keys.ts';

/** The embedded manager's part of the operator. */
export interface Embedded {
  readonly backend: EmbeddedBackend;
  readonly reflectors: readonly Reflector[];
  readonly controllers: readonly Controller[];
  /** For the leader. */
  readonly workers: readonly Workers[];
  /** What is done with secrets is noted here. */
  readonly audit: AuditLog;
  /** The operator's own name, for what it does by itself. */
  readonly operator: () => string;
  /** A secret, or what may be had of it, changed: `name` is as people wrote it. */
  onSecret(listener: (namespace: string, name: string) => void): void;
  /** The sealing keys changed. */
  onKeys(listener: () => void): void;
  close(): void;
}

/** Milliseconds: users that change together are one write. */
const USAGE_DELAY = 500;

export interface EmbeddedSettings {
  readonly parts: OperatorParts;
  readonly caches: Caches;
  readonly embedded: EmbeddedCaches;
  readonly client: KubeClient;
  readonly clusterUid: () => string;
  /** The operator's own name. */
  readonly operator: () => string;
  readonly audit: AuditLog;
  readonly events: EventRecorder;
}

export function createEmbedded(settings: EmbeddedSettings): Embedded {
  const { parts, caches, embedded, client, clusterUid, operator, audit, events } = settings;
  const { clock, logger, config } = parts;
  const { secrets } = embedded;
  const keys = openKeys(parts, client, clusterUid, () => hasSealed(embedded));
  const gate = createPolicyGate({ client, clock, logger, namespace: config.namespace });
  const view = createObjectView<VersionedSecret>(({ namespace, name }) => secrets.get(namespace, name));
  const usage = createUsageIndex(
    caches.references,
    (ref, namespace) => keepsIn(caches, ref, namespace),
    (secret) => controller.enqueueAfter(parseRequestKey(secret), USAGE_DELAY),
  );
  const trail = createAuditTrail(audit, clock);
  const ring = (): KeyRing | undefined => keys.store.ring();
  const found = { client, view, secrets, ring, clusterUid, operator };
  const scope: SecretScope = {
    ...rules(parts, caches, embedded, client),
    ...found,
    gate,
    usage: (namespace, object) => usageOf(usage.usesOf(namespace, object), namespace, object),
    trail,
    audit,
    events,
  };
  const controller = secretController(parts, scope);
  const backend = createEmbeddedBackend(found);
  const answering = { gate, backend, audit: trail, reveals: embedded.reveals, ttl: config.revealTtl };
  const reveals = createRevealController({ ...parts, ...scope, ...answering });
  watch(controller, caches, embedded, view, usage);
  watchEmbeddedSecrets(parts.registry, secrets, clock);
  watchGate(parts.registry, gate);
  for (const each of [gate, keys.store]) each.onChange(() => enqueueAll(controller, embedded));
  trail.onRecord((namespace, name) => controller.enqueueAfter({ namespace, name }, USAGE_DELAY));
  return {
    backend,
    reflectors: embedded.reflectors,
    controllers: [controller, reveals],
    workers: [{ run: (stop) => gate.run(stop) }, { run: (stop) => keys.keep(stop) }],
    onSecret: (listener) => secrets.onChange(({ object }) => listener(object.metadata.namespace, writtenName(object))),
    audit: trail,
    operator,
    onKeys: (listener) => keys.store.onChange(listener),
    close: () => keys.close(),
  };
}

function secretController(parts: OperatorParts, scope: SecretScope): Controller {
  return createController({
    ...parts,
    name: 'versionedsecret',
    concurrency: parts.config.concurrency,
    reconcile: (request, signal) => reconcileSecret(scope, request, signal),
  });
}

/** What versions are judged by, and what is counted of it. */
function rules(
  { registry, clock }: OperatorParts,
  caches: Caches,
  { types, versions }: EmbeddedCaches,
  client: KubeClient,
): Pick<
  SecretScope,
  'authorizer' | 'type' | 'versions' | 'limits' | 'lastWrites' | 'known' | 'versionView' | 'clock' | 'onVerdict'
> {
  const verdicts = counter(registry, 'keyferry_embedded_versions_total', 'Versions that were judged.', ['result']);
  return {
    authorizer: createAuthorizer(client),
    type: (name) => types.get('', name),
    versions,
    limits: (namespace) => limitsFor(namespace, caches.clusterSecretManagers.list()),
    lastWrites: new Map(),
    known: new Map(),
    versionView: createObjectView<SecretVersion>(({ namespace, name }) => versions.get(namespace, name)),
    clock,
    onVerdict: (result) => verdicts.inc({ result }),
  };
}

function enqueueAll(controller: Controller, { secrets }: Pick<EmbeddedCaches, 'secrets'>): void {
  for (const { metadata } of secrets.list()) controller.enqueue(metadata, 'low');
}

/** In which namespace a manager keeps the secrets of an asker. */
function keepsIn(caches: Caches, ref: ManagerRef, asker: string): string | undefined {
  const manager =
    ref.kind === 'SecretManager'
      ? caches.secretManagers.get(asker, ref.name)
      : caches.clusterSecretManagers.get('', ref.name);
  return manager === undefined ? undefined : homeOf(manager.spec, manager.metadata.namespace, asker);
}

function watch(
  controller: Controller,
  caches: Caches,
  { secrets, versions, types }: EmbeddedCaches,
  view: ObjectView<VersionedSecret>,
  usage: UsageIndex,
): void {
  secrets.onChange(({ object, type, initial }) => {
    if (!view.isOwnWrite(object)) controller.enqueue(object.metadata, initial ? 'low' : 'high');
    if (type !== 'deleted') return;
    // There may be room for others now: one look for all that go together.
    for (const { metadata, status } of secrets.byIndex('namespace', object.metadata.namespace)) {
      if (conditionOf(status, 'Ready')?.reason === 'LimitExceeded') controller.enqueueAfter(metadata, USAGE_DELAY);
    }
  });
  versions.onChange(({ object, initial }) => {
    const { namespace } = object.metadata;
    controller.enqueue({ namespace, name: object.spec.secret }, initial ? 'low' : 'high');
  });
  types.onChange(({ object }) => {
    for (const { metadata } of secrets.byIndex('type', object.metadata.name)) controller.enqueue(metadata);
  });
  // Where secrets are kept, and how many, stands in the spec: managers write their status far more often.
  caches.secretManagers.onChange((change) => {
    if (saysOther(change)) usage.rebuild();
  });
  caches.clusterSecretManagers.onChange((change) => {
    if (!saysOther(change)) return;
    usage.rebuild();
    // Its limits may be others.
    enqueueAll(controller, { secrets });
  });
}

function saysOther({ object, previous }: Change<KubeObject>): boolean {
  return object.metadata.generation !== previous?.metadata.generation;
}

/** What was accepted, and what waits to be: a backup brings objects back without their status, and git has never had one. */
function hasSealed({ secrets, versions }: EmbeddedCaches): boolean {
  const accepted = secrets.list().some(({ status }) => (status.versions ?? []).length > 0);
  return accepted || versions.list().some(({ digests }) => digests.size > 0);
}
