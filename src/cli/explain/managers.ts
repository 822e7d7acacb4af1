import { conditionOf } from '../../api/v1/conditions.ts';
import { foldName } from '../../api/v1/embedded-name.ts';
import type { AccessRule } from '../../api/v1/secret-manager.ts';
import { isGranted, suggestRule } from '../../managers/access-rules.ts';
import type { ManagerView } from '../status/manager.ts';
import { type Facts, failed, ok, type Step, unknown } from './facts.ts';
import { managerKeyOf, type Want, wantsOf } from './wants.ts';

/** Whether each manager that the reference names is there and can be asked. */
export function managerSteps({ reference, managers }: Facts): readonly Step[] {
  const names = [...new Set(wantsOf(reference.spec).map(({ manager }) => managerKeyOf(manager)))];
  return names.map((name) => {
    const fact = managers.get(name);
    if (fact === undefined || fact.state === 'missing') {
      return failed(
        'manager',
        `there is no ${spoken(name)}`,
        'correct managerRef of the reference, or create the manager',
      );
    }
    if (fact.state === 'hidden') return unknown('manager', `${spoken(name)}: ${fact.why}`);
    const ready = conditionOf(fact.value.status, 'Ready');
    if (ready === undefined) return unknown('manager', `${spoken(name)}: the operator has not looked at it yet`);
    return ready.status === 'True'
      ? ok('manager', `${spoken(name)} is ready`)
      : failed('manager', `${spoken(name)} is not ready (${ready.reason})`, ready.message);
  });
}

function spoken(name: string): string {
  return name.replace('/', ' ');
}

/** Who the operator is for each backend. */
export function identitySteps({ managers }: Facts): readonly Step[] {
  return [...managers].flatMap(([name, fact]) => {
    if (fact.state !== 'found') return [];
    const { identity, backend = 'its backend' } = fact.value.status;
    return [
      identity === undefined
        ? unknown('identity', `who the operator is for ${backend} of ${spoken(name)} is not known`)
        : ok('identity', `for ${backend} of ${spoken(name)}, the operator is ${identity}`),
    ];
  });
}

/** Whether a rule of its manager grants what is wanted. */
export function accessSteps(facts: Facts): readonly Step[] {
  return wantsOf(facts.reference.spec).flatMap((want) => {
    const fact = facts.managers.get(managerKeyOf(want.manager));
    if (fact?.state !== 'found') return [];
    const rules = rulesOf(fact.value);
    if (rules === undefined) return [ok('access', `${want.where}: a namespace reads what its own managers keep`)];
    if (want.secret === undefined) {
      return [ok('access', `${want.where}: what it finds is compared with the access rules one by one`)];
    }
    return [accessStep(facts, fact.value, rules, want, want.secret)];
  });
}

/** Undefined where no rule is needed. */
function rulesOf(manager: ManagerView): readonly AccessRule[] | undefined {
  if (manager.kind === 'SecretManager') return undefined;
  const { embedded, access } = manager.spec;
  if (embedded === undefined) return access ?? [];
  if (access === undefined) return embedded.namespace === undefined ? undefined : [];
  return access.map(({ namespaces, secrets }) => ({ namespaces, secrets: secrets.map(foldName) }));
}

function accessStep(
  { reference, labels }: Facts,
  manager: ManagerView,
  rules: readonly AccessRule[],
  { where }: Want,
  secret: string,
): Step {
  const { namespace } = reference.metadata;
  const name = manager.spec.embedded === undefined ? secret : foldName(secret);
  const asker = { namespace, labels: labels.state === 'found' ? labels.value : undefined };
  const title = `ClusterSecretManager ${manager.metadata.name}`;
  if (isGranted(rules, asker, name, new Set())) {
    return ok('access', `${where}: a rule of ${title} grants ${secret} to namespace ${namespace}`);
  }
  if (isGranted(rules, asker, name, new Set(labelKeys(rules)))) {
    return unknown(
      'access',
      `${where}: a rule of ${title} grants ${secret} by labels of the namespace, if the operator trusts them (--trusted-namespace-labels)`,
    );
  }
  const rule = suggestRule({ namespace, secret });
  const { contact } = manager.spec;
  const ask = contact === undefined ? 'ask whoever keeps the manager' : `ask ${contact}`;
  const says = `${where}: no rule of ${title} grants ${secret} to namespace ${namespace}`;
  return failed('access', says, `${ask} to add under access: - ${rule}`);
}

function labelKeys(rules: readonly AccessRule[]): readonly string[] {
  return rules.flatMap(({ namespaces: { selector } }) => [
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map(({ key }) => key),
  ]);
}
