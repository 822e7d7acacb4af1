import type { RevealReason } from '../../api/v1/secret-reveal.ts';
import type { Store } from '../../kube/store.ts';
import { type Controller, type ControllerOptions, createController } from '../../runtime/controller.ts';
import { counter, type Registry } from '../../runtime/metrics.ts';
import type { PolicyGate } from '../embedded/gate.ts';
import { createOpenAsks } from './open-asks.ts';
import { createRevealMemory, type RevealScope, reconcileReveal } from './reconcile.ts';
import type { Reveal } from './reveal.ts';

export interface RevealParts
  extends Pick<ControllerOptions, 'clock' | 'random' | 'logger' | 'metrics'>,
    Pick<RevealScope, 'client' | 'authorizer' | 'backend' | 'audit' | 'ttl'> {
  readonly gate: Pick<PolicyGate, 'confirm' | 'onChange'>;
  /** Made by `toReveal`. */
  readonly reveals: Store<Reveal>;
  readonly registry: Registry;
}

/** The controller of SecretReveals. */
export function createRevealController(parts: RevealParts): Controller {
  const { reveals, gate, registry } = parts;
  const scope: RevealScope = {
    ...parts,
    find: ({ namespace, name }) => reveals.get(namespace, name),
    memory: createRevealMemory(),
    onSettled: revealMetrics(registry),
  };
  const controller = createController({
    ...parts,
    name: 'secretreveal',
    concurrency: 4,
    reconcile: (request, signal) => reconcileReveal(scope, request, signal),
  });
  const asks = createOpenAsks();
  const enqueue = (reveal: Reveal): void =>
    controller.enqueue(reveal.metadata, reveal.settled || asks.isCrowd(reveal) ? 'low' : 'high');
  reveals.onChange((change) => {
    asks.changed(change);
    enqueue(change.object);
  });
  gate.onChange(() => {
    for (const reveal of reveals.list()) if (!reveal.settled) enqueue(reveal);
  });
  return controller;
}

function revealMetrics(registry: Registry): (reason: RevealReason) => void {
  const made = counter(registry, 'keyferry_reveals_total', 'Reveals that were answered or refused.', ['result']);
  return (result) => made.inc({ result });
}
