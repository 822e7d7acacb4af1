import { annotations, labels } from '../../api/v1/names.ts';
import type { Consumer } from '../../api/v1/rollout.ts';
import { describeConsumer } from '../status/consumer.ts';
import { presentReady, targetOf } from '../status/reference.ts';
import { type Facts, failed, ok, type Step, unknown } from './facts.ts';

/** Whether the Secret is there and ours. */
export function targetSteps({ reference, target }: Facts): readonly Step[] {
  const { metadata, spec, status } = reference;
  const name = `Secret ${metadata.namespace}/${targetOf(reference)}`;
  if (target.state === 'hidden') return [unknown('target', `${name}: ${target.why}`)];
  if (target.state === 'missing') {
    const says = `${name} is not there${status.target === undefined ? ': it was not written yet' : ' any more'}`;
    return [failed('target', says, 'the operator writes it as soon as it can: keyferry status says whether it lives')];
  }
  const place = `-n ${metadata.namespace} ${targetOf(reference)}`;
  // It says whose the Secret is, and whatever else is in the way.
  const told = presentReady(reference);
  const said = told?.reason === 'TargetConflict' ? told.message : undefined;
  const owner = target.value.annotations[annotations.referenceUid];
  if (spec.target.ownership === 'Merge') {
    const merged = target.value.annotations[`${annotations.merged}${metadata.uid}`] !== undefined;
    return [
      merged
        ? ok('target', `${name} has its keys, among those of others`)
        : failed(
            'target',
            `${name} does not have its keys`,
            said ?? `let it be merged into: kubectl annotate secret ${place} ${annotations.merge}=true`,
          ),
    ];
  }
  if (target.value.labels[labels.target] === undefined || owner !== metadata.uid) {
    const adopt = `choose another target.name, or let it be taken over: kubectl annotate secret ${place} ${annotations.adopt}=true`;
    return [failed('target', `${name} is there, but not made by this reference`, said ?? adopt)];
  }
  return [ok('target', `${name} holds ${status.summary ?? 'what it should'}`)];
}

const troubled: ReadonlySet<Consumer['state']> = new Set(['Failed', 'Stuck']);

/** What each consumer runs. */
export function consumerSteps({ reference }: Facts): readonly Step[] {
  const consumers = reference.status.consumers ?? [];
  if (consumers.length === 0) return [ok('consumers', 'nothing uses the Secret, as far as is known')];
  return consumers.map((consumer) => {
    const { kind, name, state, message } = consumer;
    const says = describeConsumer(consumer);
    if (troubled.has(state))
      return failed('consumers', says, message ?? `kubectl describe ${kind.toLowerCase()} ${name}`);
    return ok('consumers', message === undefined ? says : `${says}: ${message}`);
  });
}
