import { systemNamespaces } from '../api/v1/namespaces.ts';
import {
  type Enqueue,
  requeueManager,
  requeueSubscriber,
  watchForReferences,
} from '../controllers/secret-reference/controller.ts';
import { type ReferenceScope, reconcileReference } from '../controllers/secret-reference/reconcile.ts';
import { createKnownContents } from '../controllers/secret-reference/known-contents.ts';
import { createSubscriptions } from '../controllers/secret-reference/subscriptions.ts';
import { createReferenceView } from '../controllers/secret-reference/view.ts';
import { withdrawOrphans } from '../controllers/secret-reference/withdraw.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import { type Controller, createController } from '../runtime/controller.ts';
import type { Caches } from './caches.ts';
import { createManagers, type Managers } from './managers.ts';
import type { OperatorParts } from './parts.ts';
import { watchReferenceCounts } from './reference-metrics.ts';

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
): Controllers {
  const { config, clock } = parts;
  const view = createReferenceView(caches.references);
  // The two controllers call each other: references subscribe to managers' sources, and managers requeue references.
  const managers: Managers = createManagers(parts, caches, client, clusterUid, {
    requeueReferences: (key) => requeueManager({ references: caches.references, enqueue: references.enqueue }, key),
    requeueSubscriber: (subscriber) => requeueSubscriber(references.enqueue, subscriber),
  });
  const scope: ReferenceScope = {
    client,
    view,
    contents: createKnownContents(),
    references: caches.references,
    targets: caches.targets,
    managers: managers.directory,
    subscriptions: createSubscriptions(managers.directory, managers.onUse),
    namespaceLabels: (namespace) => caches.namespaces.get('', namespace)?.metadata.labels,
    trustedLabels: new Set(config.trustedNamespaceLabels),
    closedNamespaces: new Set([...systemNamespaces, config.namespace]),
    events,
    clock,
  };
  const controller = createController({
    ...parts,
    name: 'secretreference',
    concurrency: config.concurrency,
    reconcile: (request, signal) => reconcileReference(scope, request, signal),
  });
  const references: { enqueue: Enqueue } = { enqueue: (request, priority) => controller.enqueue(request, priority) };
  const merged = mergedSecrets(parts, caches, client);
  watchForReferences({
    ...caches,
    view,
    enqueue: references.enqueue,
    enqueueMerged: (request, priority) => merged.enqueue(request, priority),
  });
  watchReferenceCounts(parts.registry, caches.references);
  return { all: [managers.controller, controller, merged], close: managers.close };
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
