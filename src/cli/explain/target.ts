import { annotations, labels } from '../../api/v1/names.ts';
import type { Consumer } from '../../api/v1/rollout.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import { describeConsumer } from '../status/consumer.ts';
import { presentReady, type ReferenceView, targetOf } from '../status/reference.ts';
import { type Facts, failed, ok, type Step, unknown } from './facts.ts';

/** Whether the Secret is there and ours. */
export function targetSteps({ reference, target }: Facts): readonly Step[] {
  const { spec, status } = reference;
  const name = titleOf(reference);
  if (target.state === 'hidden') return [unknown('target', `${name}: ${target.why}`)];
  if (target.state === 'missing') {
    const says = `${name} is not there${status.target === undefined ? ': it was not written yet' : ' any more'}`;
    return [failed('target', says, 'the operator writes it as soon as it can: keyferry status says whether it lives')];
  }
  return [spec.target.ownership === 'Merge' ? mergedStep(reference, target.value) : ownedStep(reference, target.value)];
}

function mergedStep(reference: ReferenceView, { annotations: found }: ObjectMeta): Step {
  const name = titleOf(reference);
  if (found[`${annotations.merged}${reference.metadata.uid}`] !== undefined) {
    return ok('target', `${name} has its keys, among those of others`);
  }
  const merge = `let it be merged into: ${annotate(reference, annotations.merge)}`;
  return failed('target', `${name} does not have its keys`, conflictOf(reference) ?? merge);
}

function ownedStep(reference: ReferenceView, found: ObjectMeta): Step {
  const name = titleOf(reference);
  const owner = found.annotations[annotations.referenceUid];
  if (found.labels[labels.target] !== undefined && owner === reference.metadata.uid) {
    return ok('target', `${name} holds ${reference.status.summary ?? 'what it should'}`);
  }
  const adopt = `choose another target.name, or let it be taken over: ${annotate(reference, annotations.adopt)}`;
  return failed('target', `${name} is there, but not made by this reference`, conflictOf(reference) ?? adopt);
}

function titleOf(reference: ReferenceView): string {
  return `Secret ${reference.metadata.namespace}/${targetOf(reference)}`;
}

/** What the operator says of a conflict: whose the Secret is, and whatever else is in the way. */
function conflictOf(reference: ReferenceView): string | undefined {
  const ready = presentReady(reference);
  return ready?.reason === 'TargetConflict' ? ready.message : undefined;
}

function annotate(reference: ReferenceView, annotation: string): string {
  return `kubectl annotate secret -n ${reference.metadata.namespace} ${targetOf(reference)} ${annotation}=true`;
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
