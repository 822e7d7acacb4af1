import type { RevealReason } from '../../api/v1/secret-reveal.ts';
import { type Controller, type ControllerOptions, createController } from '../../runtime/controller.ts';
import { counter, type Registry } from '../../runtime/metrics.ts';
import type { Store } from '../../kube/store.ts';
import type { PolicyGate } from '../embedded/gate.ts';
import { createRevealMemory, reconcileReveal, type RevealScope } from './reconcile.ts';
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
  reveals.onChange(({ object }) => controller.enqueue(object.metadata));
  gate.onChange(() => {
    for (const { metadata, settled } of reveals.list()) if (!settled) controller.enqueue(metadata);
  });
  return controller;
}

function revealMetrics(registry: Registry): (reason: RevealReason) => void {
  const made = counter(registry, 'keyferry_reveals_total', 'Reveals that were answered or refused.', ['result']);
  return (result) => made.inc({ result });
}
