import type { ReadyReason } from '../../api/v1/conditions.ts';
import { presentReady, referenceLabel } from '../status/reference.ts';
import { unwatched } from '../watched.ts';
import { type Facts, failed, ok, type Step, type StepName, unknown } from './facts.ts';
import { accessSteps, identitySteps, managerSteps } from './managers.ts';
import { secretSteps, versionSteps } from './secrets.ts';
import { consumerSteps, targetSteps } from './target.ts';

/** At which step the operator was when it gave up. What a manager answered to it can't be asked from here. */
const reasonSteps: Readonly<Record<Exclude<ReadyReason, 'Synced'>, StepName>> = {
  Suspended: 'reference',
  ManagerNotFound: 'manager',
  ManagerUnavailable: 'manager',
  Throttled: 'manager',
  AccessDenied: 'access',
  SecretNotFound: 'secret',
  NoVersion: 'version',
  VersionNotFound: 'version',
  VersionDisabled: 'version',
  PropertyNotFound: 'value',
  InvalidValue: 'value',
  TemplateFailed: 'value',
  LimitExceeded: 'value',
  TargetConflict: 'target',
};

const stages: readonly { readonly step: StepName; readonly look: (facts: Facts) => readonly Step[] }[] = [
  { step: 'reference', look: referenceSteps },
  { step: 'manager', look: managerSteps },
  { step: 'identity', look: identitySteps },
  { step: 'access', look: accessSteps },
  { step: 'secret', look: secretSteps },
  { step: 'version', look: versionSteps },
  { step: 'value', look: valueSteps },
  { step: 'target', look: targetSteps },
  { step: 'consumers', look: consumerSteps },
];

/** Walks the way of one reference, and stops after the first step that fails. */
export function explain(facts: Facts): readonly Step[] {
  const walked: Step[] = [];
  for (const { step, look } of stages) {
    const seen = look(facts);
    const told = seen.some(({ result }) => result === 'failed') ? undefined : toldAt(step, facts);
    const all = told === undefined ? seen : [...seen, told];
    const wrong = all.findIndex(({ result }) => result === 'failed');
    if (wrong !== -1) return [...walked, ...all.slice(0, wrong + 1)];
    walked.push(...all);
  }
  return walked;
}

/** What the operator said of the present spec, if it is of this step. */
function toldAt(step: StepName, { reference }: Facts): Step | undefined {
  const ready = presentReady(reference);
  if (ready === undefined || ready.status === 'True') return undefined;
  const reasons: Readonly<Record<string, StepName>> = reasonSteps;
  // A reason of a later release: better too late than not at all.
  const at = Object.hasOwn(reasons, ready.reason) ? reasons[ready.reason] : 'value';
  return at === step ? failed(step, `the operator says ${ready.reason}`, ready.message) : undefined;
}

function referenceSteps({ reference, managers }: Facts): readonly Step[] {
  const { metadata, spec } = reference;
  const label = `SecretReference ${referenceLabel(reference)}`;
  const ready = presentReady(reference);
  if (spec.suspend || ready?.reason === 'Suspended') {
    const says = ready?.reason === 'Suspended' ? ready.message : 'suspended';
    return [failed('reference', `${label} is ${says}`, `keyferry resume ${metadata.name}`)];
  }
  if (metadata.deletionTimestamp !== undefined) return [failed('reference', `${label} is being deleted`)];
  if (ready === undefined) return [unseenStep(label, metadata.namespace, managers)];
  return [ok('reference', `${label} is there, and the operator has looked at it`)];
}

/** Why the operator has not looked at it yet, where a manager says so. */
function unseenStep(label: string, namespace: string, managers: Facts['managers']): Step {
  const [nobody] = [...managers.values()].flatMap((fact) =>
    fact.state === 'found' ? (unwatched(fact.value.status.watchNamespaces, namespace) ?? []) : [],
  );
  if (nobody !== undefined) return failed('reference', `${label}: nobody looks at it`, nobody);
  return unknown(
    'reference',
    `${label}: the operator has not looked at its present spec yet (keyferry status says whether it lives)`,
  );
}

/** No value is read here: whether one fits, the operator has said. */
function valueSteps({ reference }: Facts): readonly Step[] {
  const ready = presentReady(reference);
  return ready?.status === 'True' ? [ok('value', 'every value fits: properties, decoding, template')] : [];
}
