import type { Config } from '../config.ts';
import type { KubeClient } from '../kube/client.ts';
import { loadKubeServer } from '../kube/config.ts';
import { createEventRecorder, type EventRecorder } from '../kube/events.ts';
import { createElector } from '../kube/lease.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { createTransport, type Transport } from '../kube/transport.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Controller } from '../runtime/controller.ts';
import { createControllerMetrics } from '../runtime/controller-metrics.ts';
import { createHttpServer, type NamedChecks } from '../runtime/http-server.ts';
import { createLifecycle, type ExitReason, type Lead, leadAlone } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { addProcessMetrics, createRegistry, gauge, type Registry, watchEventLoop } from '../runtime/metrics.ts';
import { openAuditLog } from './audit-log.ts';
import { cachesHealth, runCaches } from './cache-run.ts';
import { type Caches, createCaches } from './caches.ts';
import { clientMetrics } from './client-metrics.ts';
import { type ClusterIdentity, createClusterIdentity } from './cluster-identity.ts';
import { createEmbedded, type Embedded } from './embedded.ts';
import { createEmbeddedCaches } from './embedded-caches.ts';
import { countRecords, watchLeadership, watchProcess } from './operator-metrics.ts';
import { createOwnName, type OwnName } from './own-name.ts';
import type { OperatorParts } from './parts.ts';
import { createControllers } from './references.ts';

export interface OperatorSettings {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const leaseName = 'keyferry-operator';

/** Runs the operator until `signal` aborts or its leadership is lost. */
export async function runOperator(settings: OperatorSettings, signal: AbortSignal): Promise<ExitReason> {
  const { config, clock, random, logger } = settings;
  const registry = createRegistry();
  const transport = connect(settings, registry);
  const client = createKubeClient(transport);
  const reporter = { controller: 'keyferry.io/operator', instance: config.identity };
  const events = createEventRecorder({ ...settings, ...reporter, client });
  const metrics = createControllerMetrics(registry);
  const parts: OperatorParts = { config, transport, clock, random, logger, registry, metrics };
  const caches = createCaches(parts, config);
  try {
    const cluster = createClusterIdentity(client, settings);
    const self = createOwnName(client, settings);
    const embedded = await openEmbedded(parts, caches, client, events, { cluster, self });
    const controllers = createControllers(parts, caches, client, events, cluster.uid, embedded);
    const all = [...controllers.all, ...(embedded?.controllers ?? [])];
    const reflectors = [...caches.reflectors, ...(embedded?.reflectors ?? [])];
    const lifecycle = createLifecycle({
      http: createHttpServer({
        address: config.httpAddress,
        live: { reflectors: cachesHealth(reflectors, clock), ...controllerChecks(all) },
        ready: { caches: () => lifecycle.readiness() },
        registry,
        clock,
        logger,
      }),
      caches: runCaches([...reflectors, cluster, self]),
      lead: watchLeadership(registry, leaseName, leadership(settings, client)),
      workers: [...all, ...(embedded?.workers ?? []), { run: (stop) => events.run(stop) }],
      clock,
      logger,
      gracePeriod: config.gracePeriod,
    });
    addProcessMetrics(registry, clock);
    watchProcess(registry, settings.version, () => lifecycle.readiness());
    countDropped(registry, events);
    void watchEventLoop(registry, clock, signal);
    const reason = await lifecycle.run(signal);
    controllers.close();
    embedded?.close();
    return reason;
  } finally {
    await transport.close();
  }
}

/** Undefined where nothing is kept in the cluster. */
async function openEmbedded(
  parts: OperatorParts,
  caches: Caches,
  client: KubeClient,
  events: EventRecorder,
  { cluster, self }: { readonly cluster: ClusterIdentity; readonly self: OwnName },
): Promise<Embedded | undefined> {
  const { config, clock, registry } = parts;
  if (!config.embedded) return undefined;
  const embedded = createEmbeddedCaches(parts, config.watchNamespaces);
  const audit = countRecords(registry, await openAuditLog(config.auditLog, clock));
  const identities = { clusterUid: cluster.uid, operator: self.name };
  return createEmbedded({ parts, caches, embedded, client, ...identities, audit, events });
}

function countDropped(registry: Registry, events: EventRecorder): void {
  gauge(registry, 'keyferry_events_dropped', 'Events that were too many to be written.', [], (made) =>
    made.set(events.dropped),
  );
}

function connect({ config, version, clock, random }: OperatorSettings, registry: Registry): Transport {
  const server = loadKubeServer({ kubeconfig: config.kubeconfig, clock });
  return createTransport({ server, clock, random, version, onRequest: clientMetrics(registry) });
}

function leadership({ config, clock, random, logger }: OperatorSettings, client: KubeClient): Lead {
  if (!config.leaderElection) return leadAlone;
  const elector = createElector({
    client,
    namespace: config.namespace,
    name: leaseName,
    identity: config.identity,
    durations: { lease: config.leaseDuration, renewDeadline: config.renewDeadline, retryPeriod: config.retryPeriod },
    clock,
    random,
    logger,
  });
  return (signal, onStartedLeading) => elector.run({ signal, onStartedLeading });
}

function controllerChecks(controllers: readonly Controller[]): NamedChecks {
  return Object.fromEntries(controllers.map((controller) => [controller.name, () => controller.health()]));
}
