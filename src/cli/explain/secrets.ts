import { secretObjectName } from '../../api/v1/embedded-name.ts';
import { conditionOf } from '../../api/v1/conditions.ts';
import { homeOf } from '../../managers/embedded/names.ts';
import { type Facts, failed, ok, type SecretView, type Step, unknown } from './facts.ts';
import { managerKeyOf, type Want, wantsOf } from './wants.ts';

/** A secret that is wanted from an embedded manager. */
export interface EmbeddedWant extends Want {
  readonly secret: string;
  readonly namespace: string;
  /** `namespace/object`. */
  readonly key: string;
}

/** What is wanted from embedded managers, which is all that can be looked at from here. */
export function embeddedWants({ reference, managers }: Pick<Facts, 'reference' | 'managers'>): readonly EmbeddedWant[] {
  return wantsOf(reference.spec).flatMap((want) => {
    const fact = managers.get(managerKeyOf(want.manager));
    const manager = fact?.state === 'found' ? fact.value : undefined;
    const namespace = manager && homeOf(manager.spec, manager.metadata.namespace, reference.metadata.namespace);
    if (namespace === undefined || want.secret === undefined) return [];
    return [{ ...want, secret: want.secret, namespace, key: `${namespace}/${secretObjectName(want.secret)}` }];
  });
}

/** Whether each secret is there. */
export function secretSteps(facts: Facts): readonly Step[] {
  return embeddedWants(facts).map((want) => {
    const { where, secret, namespace, optional } = want;
    const fact = facts.secrets.get(want.key) ?? { state: 'missing' };
    if (fact.state === 'hidden') return unknown('secret', `${where}: ${fact.why}`);
    if (fact.state === 'missing') {
      const says = `${where}: there is no secret ${secret} in namespace ${namespace}`;
      if (optional) return ok('secret', `${says}, and it may be missing`);
      return failed(
        'secret',
        says,
        `keyferry put ${JSON.stringify(secret)} --create -n ${namespace}, or correct the name`,
      );
    }
    const ready = conditionOf(fact.value.status, 'Ready');
    if (ready?.reason === 'NameMismatch' || ready?.reason === 'LimitExceeded') {
      return failed('secret', `${where}: secret ${secret} serves nobody (${ready.reason})`, ready.message);
    }
    return ok('secret', `${where}: there is secret ${secret} in namespace ${namespace}`);
  });
}

/** Whether each secret has the version that is wanted. */
export function versionSteps(facts: Facts): readonly Step[] {
  return embeddedWants(facts).flatMap((want) => {
    const fact = facts.secrets.get(want.key);
    return fact?.state === 'found' ? [versionStep(want, fact.value)] : [];
  });
}

function versionStep(want: EmbeddedWant, { status }: SecretView): Step {
  const { where, secret, namespace } = want;
  const put = `keyferry put ${JSON.stringify(secret)} -n ${namespace}`;
  const versions = status.versions ?? [];
  if (versions.length === 0) {
    const says = `${where}: secret ${secret} has no version yet`;
    return want.optional ? ok('version', `${says}, and it may be missing`) : failed('version', says, put);
  }
  const wanted = numberOf(want, status);
  if (wanted === undefined) {
    const says = `${where}: secret ${secret} has no ${want.version === undefined ? `stage ${want.stage ?? 'latest'}` : `version ${want.version}`}`;
    if (want.optional) return ok('version', `${says}, and it may be missing`);
    const there = versions.map(({ version }) => version).join(', ');
    return failed('version', says, `there are ${there}, and the stages latest and previous: correct the reference`);
  }
  const disabled = versions.some(({ version, state }) => version === wanted && state === 'Disabled');
  if (disabled) {
    const enable = `keyferry enable ${JSON.stringify(secret)} --version ${wanted} -n ${namespace}`;
    return failed('version', `${where}: version ${wanted} of secret ${secret} is disabled`, `${put}, or ${enable}`);
  }
  return ok(
    'version',
    `${where}: secret ${secret} has version ${wanted}${want.version === undefined ? ` (${want.stage ?? 'latest'})` : ''}`,
  );
}

function numberOf(
  { version, stage = 'latest' }: Want,
  { latest, previous, versions }: SecretView['status'],
): number | undefined {
  if (version === undefined) {
    if (stage === 'latest') return latest;
    return stage === 'previous' ? previous : undefined;
  }
  return versions?.find((stored) => String(stored.version) === version)?.version;
}
