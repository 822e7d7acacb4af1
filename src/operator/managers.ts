import { managerKey, parseManagerKey } from '../controllers/manager-key.ts';
import { createCredentialWatcher, watchSecret } from '../controllers/secret-manager/credentials.ts';
import { createDirectory, type WritableDirectory } from '../controllers/secret-manager/directory.ts';
import type { ManagerObject } from '../controllers/secret-manager/manager-object.ts';
import { createOutages, type Outages } from '../controllers/secret-manager/outages.ts';
import { createIdentityProbe } from '../controllers/secret-manager/probe.ts';
import { type ManagerScope, reconcileManager } from '../controllers/secret-manager/reconcile.ts';
import type { KubeClient } from '../kube/client.ts';
import { lookAtSecret } from '../managers/embedded/look.ts';
import { ManagerError } from '../managers/errors.ts';
import type { SecretManager } from '../managers/manager.ts';
import { backendOf, createManager, type ManagerSettings } from '../managers/registry.ts';
import { createSessions, type Sessions } from '../managers/sessions.ts';
import { type Controller, createController } from '../runtime/controller.ts';
import type { Request } from '../runtime/request.ts';
import type { Caches } from './caches.ts';
import type { Embedded } from './embedded.ts';
import { watchManagers } from './manager-metrics.ts';
import type { OperatorParts } from './parts.ts';
import { sourceMetrics } from './source-metrics.ts';

/** Milliseconds: how many references use a manager is written at most this often. */
const USAGE_DELAY = 5_000;

export interface Managers {
  readonly controller: Controller;
  readonly directory: WritableDirectory;
  /** The references of a manager may have become more or fewer. */
  readonly onUse: (managerKey: string) => void;
  readonly close: () => void;
}

export interface ManagerHooks {
  readonly requeueReferences: (managerKey: string) => void;
  readonly requeueSubscriber: (subscriber: string) => void;
  /** Undefined where the operator keeps no secrets in the cluster. */
  readonly embedded: Embedded | undefined;
}

/** The controller of managers of both kinds. A request with an empty namespace is a cluster manager. */
export function createManagers(
  parts: OperatorParts,
  caches: Caches,
  client: KubeClient,
  clusterUid: () => string,
  hooks: ManagerHooks,
): Managers {
  const { clock, logger, config } = parts;
  const find = finder(caches);
  const directory = createDirectory((key) => find(key) !== undefined);
  const enqueue = (key: string): void => controller.enqueue(parseManagerKey(key));
  const outages = createOutages(enqueue);
  const sessions = openSessions(parts, hooks, outages);
  const credentials = createCredentialWatcher(watchSecret(parts), enqueue);
  const scope: ManagerScope = {
    client,
    find,
    directory,
    sessions,
    credentials,
    probe: createIdentityProbe(enqueue),
    outages,
    createManager: (settings) => createWatchedManager(settings, config.watchNamespaces),
    embedded: hooks.embedded?.backend,
    requeueReferences: hooks.requeueReferences,
    operatorNamespace: config.namespace,
    clusterUid,
    watchNamespaces: config.watchNamespaces,
    trustedLabels: new Set(config.trustedNamespaceLabels),
    clock,
    logger,
  };
  const controller = managerController(parts, caches, scope);
  watchManagers(parts.registry, [caches.secretManagers, caches.clusterSecretManagers]);
  if (hooks.embedded !== undefined) followEmbedded(hooks.embedded, caches, sessions, controller);
  return {
    controller,
    directory,
    onUse: (key) => controller.enqueueAfter(parseManagerKey(key), USAGE_DELAY),
    close: () => {
      sessions.close();
      credentials.close();
    },
  };
}

/** Nothing is polled to learn of a new version, nor of another key to seal to. */
function followEmbedded(embedded: Embedded, caches: Caches, sessions: Sessions, controller: Controller): void {
  embedded.onSecret((namespace, name) => lookAtSecret(sessions, namespace, name));
  embedded.onKeys(() => {
    for (const { spec, metadata } of [...caches.secretManagers.list(), ...caches.clusterSecretManagers.list()])
      if (backendOf(spec) === 'embedded') controller.enqueue(metadata);
  });
}

/** What lies where nobody looks would seem not to be there, and what references hold of it to be gone. */
function createWatchedManager(settings: ManagerSettings, watched: readonly string[]): SecretManager {
  const home = settings.kind === 'ClusterSecretManager' ? settings.spec.embedded?.namespace : undefined;
  if (home !== undefined && watched.length > 0 && !watched.includes(home)) {
    const text = `the operator does not look at namespace ${home}: add it to --watch-namespaces`;
    throw new ManagerError('ManagerUnavailable', text);
  }
  return createManager(settings);
}

function openSessions(parts: OperatorParts, hooks: ManagerHooks, outages: Outages): Sessions {
  const { clock, random, logger, registry } = parts;
  const countCall = sourceMetrics(registry);
  return createSessions({
    clock,
    random,
    logger,
    onChange: (_key, subscriber) => hooks.requeueSubscriber(subscriber),
    onCall: (key, call) => {
      countCall(key, call);
      outages.note(key, call);
    },
  });
}

function finder(caches: Caches): (key: string) => ManagerObject | undefined {
  return (key) => {
    const { kind, namespace, name } = parseManagerKey(key);
    return (kind === 'SecretManager' ? caches.secretManagers : caches.clusterSecretManagers).get(namespace, name);
  };
}

function managerController(parts: OperatorParts, caches: Caches, scope: ManagerScope): Controller {
  const controller = createController({
    ...parts,
    name: 'secretmanager',
    reconcile: (request: Request, signal) => reconcileManager(scope, keyOfRequest(request), signal),
  });
  for (const store of [caches.secretManagers, caches.clusterSecretManagers]) {
    store.onChange(({ object }) => controller.enqueue(object.metadata));
  }
  return controller;
}

function keyOfRequest({ namespace, name }: Request): string {
  return managerKey({ kind: namespace === '' ? 'ClusterSecretManager' : 'SecretManager', name }, namespace);
}
