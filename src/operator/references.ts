import { systemNamespaces } from '../api/v1/namespaces.ts';
import {
  type Enqueue,
  requeueManager,
  requeueSubscriber,
  watchForReferences,
} from '../controllers/secret-reference/controller.ts';
import { createEmbeddedAudit, type EmbeddedAudit } from '../controllers/secret-reference/embedded-audit.ts';
import { type ReferenceScope, reconcileReference } from '../controllers/secret-reference/reconcile.ts';
import { type Reference, targetName } from '../controllers/secret-reference/reference.ts';
import { createKnownContents } from '../controllers/secret-reference/known-contents.ts';
import { createSubscriptions } from '../controllers/secret-reference/subscriptions.ts';
import { createObjectView, type ObjectView } from '../controllers/object-view.ts';
import { withdrawOrphans } from '../controllers/secret-reference/withdraw.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import { type Controller, createController } from '../runtime/controller.ts';
import type { Caches } from './caches.ts';
import type { Embedded } from './embedded.ts';
import { createManagers, type Managers } from './managers.ts';
import type { OperatorParts } from './parts.ts';
import { watchReferenceCounts } from './reference-metrics.ts';
import { createRollouts } from './rollouts.ts';

export interface Controllers {
  readonly all: readonly Controller[];
  readonly close: () => void;
}

/** Builds the controllers of references and managers and connects them to the caches and to each other. */
export function createControllers(
  parts: OperatorParts,
  caches: Caches,
  client: KubeClient,
  events: EventRecorder,
  clusterUid: () => string,
  embedded: Embedded | undefined,
): Controllers {
  const { config, clock } = parts;
  const view = createObjectView<Reference>(({ namespace, name }) => caches.references.get(namespace, name));
  // The two controllers call each other: references subscribe to managers' sources, and managers requeue references.
  const managers: Managers = createManagers(parts, caches, client, clusterUid, {
    requeueReferences: (key) => requeueManager({ references: caches.references, enqueue: references.enqueue }, key),
    requeueSubscriber: (subscriber) => requeueSubscriber(references.enqueue, subscriber),
    embedded,
  });
  const rollouts = config.rollouts
    ? createRollouts(parts, caches, client, events, {
        references: view,
        enqueueReferenceAfter: (request, ms) => controller.enqueueAfter(request, ms),
      })
    : undefined;
  const scope: ReferenceScope = {
    ...placesOf(parts, caches),
    client,
    view,
    rollouts: rollouts?.scope,
    contents: createKnownContents(),
    managers: managers.directory,
    subscriptions: createSubscriptions(managers.directory, managers.onUse),
    events,
    audit: auditOf(embedded, managers),
    clock,
  };
  const controller: Controller = createController({
    ...parts,
    name: 'secretreference',
    concurrency: config.concurrency,
    reconcile: (request, signal) => reconcileReference(scope, request, signal),
  });
  const references: { enqueue: Enqueue } = { enqueue: (request, priority) => controller.enqueue(request, priority) };
  const merged = mergedSecrets(parts, caches, client);
  watchCaches(parts, caches, view, references.enqueue, merged);
  const all = [managers.controller, controller, merged, ...(rollouts === undefined ? [] : [rollouts.controller])];
  return { all, close: managers.close };
}

function auditOf(embedded: Embedded | undefined, { directory }: Managers): EmbeddedAudit | undefined {
  if (embedded === undefined) return undefined;
  return createEmbeddedAudit({ log: embedded.audit, managers: directory, operator: embedded.operator });
}

function watchCaches(
  { registry }: OperatorParts,
  caches: Caches,
  view: ObjectView<Reference>,
  enqueue: Enqueue,
  merged: Controller,
): void {
  const enqueueMerged: Enqueue = (request, priority) => merged.enqueue(request, priority);
  caches.targets.onReplaced(() => requeueWithoutTarget(caches, enqueue));
  watchForReferences({ ...caches, view, enqueue, enqueueMerged });
  watchReferenceCounts(registry, caches.references);
}

/** A Secret that was made and deleted while its watch was broken was never seen, so nothing tells that it is gone. */
function requeueWithoutTarget({ references, targets }: Caches, enqueue: Enqueue): void {
  for (const reference of references.list()) {
    const { metadata } = reference;
    if (targets.get(metadata.namespace, targetName(reference)) === undefined) enqueue(metadata, 'low');
  }
}

function placesOf(
  { config }: OperatorParts,
  { references, targets, namespaces }: Caches,
): Pick<ReferenceScope, 'references' | 'targets' | 'namespaceLabels' | 'trustedLabels' | 'closedNamespaces'> {
  return {
    references,
    targets,
    namespaceLabels: (namespace) => namespaces.get('', namespace)?.metadata.labels,
    trustedLabels: new Set(config.trustedNamespaceLabels),
    closedNamespaces: new Set([...systemNamespaces, config.namespace]),
  };
}

/** Takes back the merged keys of references that are gone. */
function mergedSecrets(parts: OperatorParts, { references, targets }: Caches, client: KubeClient): Controller {
  return createController({
    ...parts,
    name: 'mergedsecret',
    concurrency: 2,
    reconcile: async (request, signal) => {
      await withdrawOrphans({ client, references, targets }, request, signal);
      return {};
    },
  });
}
