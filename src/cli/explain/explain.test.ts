import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../api/v1/names.ts';
import { versionedSecretSpecSchema, versionedSecretStatusSchema } from '../../api/v1/versioned-secret.ts';
import { objectMetaSchema, rawObjectSchema } from '../../kube/object.ts';
import { toManagerView } from '../status/manager.ts';
import { condition, held, referenceView, since } from '../testing/reference-view.ts';
import { explain } from './explain.ts';
import type { Fact, Facts, SecretView } from './facts.ts';

function manager(spec: object, ready: 'True' | 'False' = 'True', said: object = {}) {
  const conditions = [condition('Ready', ready, 'Reason', 'fix the manager')];
  const status = { conditions, identity: 'keyferry', ...said };
  const raw = rawObjectSchema.parse({ metadata: { name: 'default', uid: 'm', resourceVersion: '1' }, spec, status });
  const view = toManagerView('ClusterSecretManager', raw);
  if (view === undefined) throw new Error('no manager');
  return view;
}

function found<T>(value: T): Fact<T> {
  return { state: 'found', value };
}

function version(number: number, state: 'Enabled' | 'Disabled' = 'Enabled') {
  return { version: number, state, uid: 'v', key: 'k', digest: 'd', createdAt: since };
}

function secret(status: object, spec: object = {}): Fact<SecretView> {
  return found({
    metadata: objectMetaSchema.parse({ name: 'db.password', namespace: 'shop', uid: 's', resourceVersion: '1' }),
    spec: versionedSecretSpecSchema.parse(spec),
    status: versionedSecretStatusSchema.parse(status),
  });
}

const target = found(
  objectMetaSchema.parse({
    name: 'api-db',
    namespace: 'shop',
    uid: 't',
    resourceVersion: '1',
    labels: { [labels.target]: 'owned' },
    annotations: { [annotations.referenceUid]: 'uid-api-db' },
  }),
);

const others = found(
  objectMetaSchema.parse({ name: 'api-db', namespace: 'shop', uid: 't', resourceVersion: '1', annotations: {} }),
);

function facts(change: Partial<Facts> = {}): Facts {
  return {
    reference: referenceView({ status: { versions: [held('2')], summary: 'db.password@2' } }),
    managers: new Map([['ClusterSecretManager/default', found(manager({ embedded: {} }))]]),
    secrets: new Map([['shop/db.password', secret({ latest: 2, previous: 1, versions: [version(2), version(1)] })]]),
    labels: found({}),
    target,
    ...change,
  };
}

/** As the operator writes it that works in some namespaces only. */
function watching(...watchNamespaces: readonly string[]): Partial<Facts> {
  const view = manager({ embedded: {} }, 'True', { watchNamespaces });
  return {
    managers: new Map([['ClusterSecretManager/default', found(view)]]),
    reference: referenceView({ status: { conditions: [] } }),
  };
}

function managed(spec: object, ready: 'True' | 'False' = 'True'): Partial<Facts> {
  return { managers: new Map([['ClusterSecretManager/default', found(manager(spec, ready))]]) };
}

function of(status: object): Partial<Facts> {
  return { secrets: new Map([['shop/db.password', secret(status)]]) };
}

function entry(more: object, conditions?: object): Partial<Facts> {
  const spec = { data: { password: { secret: 'db.password', ...more } } };
  return { reference: referenceView({ spec, ...(conditions !== undefined && { status: conditions }) }) };
}

function said(reason: string): Partial<Facts> {
  return { reference: referenceView({ status: { conditions: [condition('Ready', 'False', reason, 'do this')] } }) };
}

/** The step that fails, with what it says and what to do. */
function failure(given: Partial<Facts>): string {
  const last = explain(facts(given)).at(-1);
  return last?.result === 'failed' ? `${last.step}: ${last.says} -> ${last.fix ?? ''}` : 'nothing fails';
}

const aws = { aws: {}, access: [{ namespaces: { names: ['cart'] }, secrets: ['*'] }], contact: '#platform' };
const labelled = {
  aws: {},
  access: [{ namespaces: { selector: { matchLabels: { team: 'shop' } } }, secrets: ['*'] }],
};

describe('the way of a reference', () => {
  it('is walked to its end where all is well', () => {
    const steps = explain(facts());
    expect(steps.map(({ step, result }) => `${step} ${result}`)).toEqual([
      'reference ok',
      'manager ok',
      'identity ok',
      'access ok',
      'secret ok',
      'version ok',
      'value ok',
      'target ok',
      'consumers ok',
    ]);
  });

  it('is unknown at its start while the operator has not looked, where it works in that namespace', () => {
    expect(explain(facts(watching('shop', 'cart')))[0]).toMatchObject({ step: 'reference', result: 'unknown' });
  });

  it.each<[string, Partial<Facts>, string]>([
    [
      'an operator that works elsewhere',
      watching('cart'),
      'reference: SecretReference shop/api-db: nobody looks at it -> the operator watches only cart, so nothing happens in namespace shop: ask for it to be added to watchNamespaces',
    ],
    [
      'a manager that is not there',
      { managers: new Map([['ClusterSecretManager/default', { state: 'missing' }]]) },
      'manager: there is no ClusterSecretManager default',
    ],
    [
      'a manager that is not ready',
      managed({ embedded: {} }, 'False'),
      'manager: ClusterSecretManager default is not ready (Reason) -> fix the manager',
    ],
    [
      'no rule that grants it',
      managed(aws),
      'access: key password: no rule of ClusterSecretManager default grants db.password to namespace shop -> ask #platform to add under access: - {namespaces: {names: ["shop"]}, secrets: ["db.password"]}',
    ],
    [
      'a secret that is not there',
      { secrets: new Map([['shop/db.password', { state: 'missing' }]]) },
      'secret: key password: there is no secret db.password in namespace shop -> keyferry put "db.password" --create -n shop',
    ],
    [
      'a secret whose object has another name',
      of({ conditions: [condition('Ready', 'False', 'NameMismatch', 'rename it')] }),
      'secret: key password: secret db.password serves nobody (NameMismatch) -> rename it',
    ],
    [
      'a secret without a version',
      of({}),
      'version: key password: secret db.password has no version yet -> keyferry put "db.password" -n shop',
    ],
    [
      'a version that is not there',
      entry({ version: '7' }),
      'version: key password: secret db.password has no version 7 -> there are 2, 1',
    ],
    ['a stage that is not there', entry({ stage: 'AWSPREVIOUS' }), 'no stage AWSPREVIOUS'],
    [
      'a disabled version',
      { ...of({ latest: 2, versions: [version(2), version(1, 'Disabled')] }), ...entry({ version: '1' }) },
      'version 1 of secret db.password is disabled',
    ],
    ['a property that is not there', said('PropertyNotFound'), 'value: the operator says PropertyNotFound -> do this'],
    ['a Secret of others', said('TargetConflict'), 'target: the operator says TargetConflict -> do this'],
    [
      'a Secret of others that can be seen, as the operator says it',
      { ...said('TargetConflict'), target: others },
      'target: Secret shop/api-db is there, but not made by this reference -> do this',
    ],
    [
      'a Secret of others that the operator has not met yet',
      { target: others },
      'kubectl annotate secret -n shop api-db keyferry.io/adopt=true',
    ],
    ['a reason of a later release', said('SomethingNew'), 'value: the operator says SomethingNew -> do this'],
    ['a Secret that is gone', { target: { state: 'missing' } }, 'target: Secret shop/api-db is not there'],
    [
      'a suspended reference',
      { reference: referenceView({ spec: { suspend: true } }) },
      'reference: SecretReference shop/api-db is suspended -> keyferry resume api-db',
    ],
    [
      'a reference that is suspended until a time',
      said('Suspended'),
      'reference: SecretReference shop/api-db is do this -> keyferry resume api-db',
    ],
  ])('with %s stops there and says what to do', (_what, change, says) => {
    expect(failure(change)).toContain(says);
  });

  it('takes what the operator was answered where the command can not ask: another manager', () => {
    const open = { aws: {}, access: [{ namespaces: { names: ['*'] }, secrets: ['**'] }] };
    expect(failure({ ...managed(open), ...said('SecretNotFound') })).toBe(
      'secret: the operator says SecretNotFound -> do this',
    );
    expect(failure({ ...managed(open), ...said('AccessDenied') })).toBe(
      'access: the operator says AccessDenied -> do this',
    );
  });

  it('does not take what the operator said of an older spec', () => {
    const reference = referenceView({
      generation: 2,
      status: { conditions: [condition('Ready', 'False', 'NoVersion')] },
    });
    const steps = explain(facts({ reference }));
    expect(steps[0]?.result).toBe('unknown');
    expect(steps.some(({ result }) => result === 'failed')).toBe(false);
  });

  it('goes on past a value that may be missing', () => {
    expect(failure({ ...of({}), ...entry({ optional: true }) })).toBe('nothing fails');
  });

  it('does not call unknown what may be granted by labels that the operator may trust', () => {
    const steps = explain(facts({ ...managed(labelled), labels: found({ team: 'shop' }) }));
    expect(steps.find(({ step }) => step === 'access')?.result).toBe('unknown');
    expect(failure({ ...managed(labelled), labels: found({ team: 'cart' }) })).toContain('access:');
  });

  it('goes by the names of a shared manager without regard to case', () => {
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['DB.*'] }];
    const shared = managed({ embedded: { namespace: 'org' }, access });
    const secrets = new Map([['org/db.password', secret({ latest: 1, versions: [version(1)] })]]);
    expect(failure({ ...shared, secrets })).toBe('nothing fails');
  });

  it('names what may not be seen, and goes on', () => {
    const hidden = new Map([
      ['ClusterSecretManager/default', { state: 'hidden', why: 'you may not read it' } as const],
    ]);
    const steps = explain(facts({ managers: hidden }));
    expect(steps.find(({ step }) => step === 'manager')).toMatchObject({ result: 'unknown' });
    expect(steps.at(-1)).toMatchObject({ step: 'consumers', result: 'ok' });
  });

  it('ends at a consumer that did not come up', () => {
    const failedPods = {
      kind: 'Deployment',
      name: 'api',
      uid: 'd',
      uses: ['env'],
      state: 'Failed',
      message: 'no image',
    };
    const status = { conditions: [condition('Ready', 'True', 'Synced')], consumers: [failedPods] };
    expect(failure({ reference: referenceView({ status }) })).toBe(
      'consumers: Deployment/api is to run what is not known (Failed) -> no image',
    );
  });
});
