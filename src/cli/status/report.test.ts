import { describe, expect, it } from 'vitest';
import { rawObjectSchema } from '../../kube/object.ts';
import { condition, referenceView } from '../testing/reference-view.ts';
import { leaderOf } from './leader.ts';
import { toManagerView } from './manager.ts';
import { describeReport, type Observation, reportOf } from './report.ts';
import { judgeReference, worstOf } from './verdict.ts';

const now = Date.parse('2026-01-01T01:00:00Z');

function lease(spec: object) {
  return rawObjectSchema.parse({
    metadata: { name: 'l', namespace: 'keyferry', uid: 'u', resourceVersion: '1' },
    spec,
  });
}

function manager(
  name: string,
  ready: 'True' | 'False' | undefined,
  kind: 'ClusterSecretManager' | 'SecretManager' = 'ClusterSecretManager',
) {
  const metadata = { name, uid: name, resourceVersion: '1' };
  const reason = ready === 'True' ? 'Ready' : 'ManagerUnavailable';
  const conditions = ready === undefined ? [] : [condition('Ready', ready, reason, 'it does not answer')];
  const raw = rawObjectSchema.parse({ metadata, spec: { embedded: {} }, status: { conditions } });
  const view = toManagerView(kind, raw);
  if (view === undefined) throw new Error('no manager');
  return view;
}

const healthy: Observation = {
  leader: {
    value: leaderOf(
      lease({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:59:58.000000Z' }),
      now,
    ),
  },
  managers: { value: [manager('default', 'True')] },
  references: { value: [referenceView()] },
  missingSecrets: [],
  lookedAt: 1,
  backup: 'done',
};

describe('the leader', () => {
  it.each<[string, object | undefined, boolean, string]>([
    [
      'that renews',
      { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:59:58.000000Z' },
      true,
      'a, renewed 2s ago',
    ],
    [
      'that died',
      { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z' },
      false,
      'no operator holds the lease since 2026-01-01T00:00:00.000000Z (60m ago): the last was a',
    ],
    [
      'that gave up',
      { holderIdentity: '', leaseDurationSeconds: 1, renewTime: '2026-01-01T00:59:00.000000Z' },
      false,
      'it was given back',
    ],
    ['that says nothing', {}, false, 'does not say when'],
    ['that was never there', undefined, false, 'no operator has ever held the lease'],
  ])('%s: %o alive %s', (_what, spec, alive, says) => {
    const leader = leaderOf(spec === undefined ? undefined : lease(spec), now);
    expect(leader.alive).toBe(alive);
    expect(leader.says).toContain(says);
  });
});

describe('a reference', () => {
  const ready = (status: 'True' | 'False', reason: string) => condition('Ready', status, reason, 'why');
  it.each([
    ['Synced', { conditions: [ready('True', 'Synced')] }, 'fine'],
    ['AccessDenied', { conditions: [ready('False', 'AccessDenied')] }, 'broken'],
    ['Suspended', { conditions: [ready('False', 'Suspended')] }, 'suspended'],
    ['Stale', { conditions: [ready('True', 'Synced'), condition('Stale', 'True', 'ManagerUnavailable')] }, 'stale'],
    [
      'rolling out',
      { conditions: [ready('True', 'Synced'), condition('RolledOut', 'False', 'Progressing')] },
      'waiting',
    ],
    [
      'failed to roll out',
      { conditions: [ready('True', 'Synced'), condition('RolledOut', 'False', 'Failed')] },
      'broken',
    ],
    ['new', { conditions: [] }, 'waiting'],
  ])('that is %s is %o: %s', (_what, status, verdict) => {
    expect(judgeReference(referenceView({ status })).verdict).toBe(verdict);
  });

  it('whose spec the operator has not looked at is waiting, whatever it was before', () => {
    expect(judgeReference(referenceView({ generation: 2 })).verdict).toBe('waiting');
  });

  it('is listed with the worst first, and not when it is fine', () => {
    const [fine, stale, broken] = [
      referenceView({ name: 'a' }),
      referenceView({ name: 'b', status: { conditions: [ready('True', 'Synced'), condition('Stale', 'True', 'x')] } }),
      referenceView({ name: 'c', status: { conditions: [ready('False', 'NoVersion')] } }),
    ].map(judgeReference);
    expect(
      worstOf(
        [fine, stale, broken].flatMap((one) => one ?? []),
        5,
      ).map(({ reference }) => reference),
    ).toEqual(['shop/c', 'shop/b']);
  });
});

describe('the report', () => {
  it('of an installation that is well says so in few lines', () => {
    expect(describeReport(reportOf(healthy), now, false).split('\n')).toEqual([
      'Operator:   a, renewed 2s ago',
      'Managers:   1 ready, 0 not',
      'References: 0 broken, 0 stale, 0 waiting, 0 suspended, 1 fine',
      'Pods:       running pods are not affected: Secrets stay as they are (1 of the Secrets were looked for)',
      '',
    ]);
  });

  it('with the operator dead says that pods go on, and which Secrets are missing', () => {
    const dead = {
      ...healthy,
      leader: { value: leaderOf(undefined, now) },
      missingSecrets: ['shop/api-db (SecretReference shop/api-db)'],
    };
    const text = describeReport(reportOf(dead), now, false);
    expect(text).toContain('New versions reach nobody until an operator is back');
    expect(text).toContain(
      'Secret shop/api-db (SecretReference shop/api-db) is missing: pods that need it can not start',
    );
  });

  it('names the managers that are down, and since when', () => {
    const down = { ...healthy, managers: { value: [manager('aws', 'False')] } };
    expect(describeReport(reportOf(down), now, false)).toContain(
      'ClusterSecretManager aws since 60m: ManagerUnavailable: it does not answer',
    );
  });

  it('nags while the sealing key in use was not backed up, whatever was before, and not where there is none', () => {
    const [warning] = reportOf({ ...healthy, backup: 'never' }).warnings;
    expect(warning).toContain('the sealing key in use was not backed up');
    expect(warning).toContain('keyferry keys backup');
    expect(reportOf({ ...healthy, backup: 'none' }).warnings).toEqual([]);
  });

  it('says where the operator works, unless that is everywhere', () => {
    const [view] = [manager('default', 'True')];
    const some = { ...view, status: { ...view.status, watchNamespaces: ['shop', 'cart'] } };
    const report = reportOf({ ...healthy, managers: { value: [some] } });
    expect(describeReport(report, now, false)).toContain('Namespaces: the operator watches only shop, cart\n');
    expect(describeReport(reportOf(healthy), now, false)).not.toContain('Namespaces:');
  });

  it('says what it may not see, and shows the rest', () => {
    const report = reportOf({ ...healthy, managers: { hidden: 'you may not read ClusterSecretManagers' } });
    expect(report.references?.fine).toBe(1);
    expect(report.failures).toEqual([]);
    const text = describeReport(report, now, false);
    expect(text).toContain('Managers:   unknown');
    expect(text).toContain('Not shown: you may not read ClusterSecretManagers');
  });

  const broken = referenceView({ status: { conditions: [condition('Ready', 'False', 'NoVersion')] } });
  const unseen = { hidden: 'you may not' };
  it.each<[string, Partial<Observation>, readonly string[]]>([
    ['nothing, where all is well', {}, []],
    ['an operator that is dead', { leader: { value: leaderOf(undefined, now) } }, ['no operator leads']],
    [
      'a manager that is down',
      { managers: { value: [manager('aws', 'False'), manager('default', 'True')] } },
      ['ClusterSecretManager aws is not ready'],
    ],
    ['no manager that was not looked at yet', { managers: { value: [manager('aws', undefined)] } }, []],
    ['no manager of one namespace', { managers: { value: [manager('own', 'False', 'SecretManager')] } }, []],
    ['no reference that is broken', { references: { value: [broken] } }, []],
    ['that nothing could be read', { leader: unseen, managers: unseen, references: unseen }, ['nothing could be read']],
  ])('has to be looked at for %s', (_what, seen, failures) => {
    expect(reportOf({ ...healthy, ...seen }).failures).toEqual(failures);
  });

  it('of which nothing may be seen counts nothing', () => {
    const text = describeReport(
      reportOf({ ...healthy, leader: unseen, managers: unseen, references: unseen }),
      now,
      false,
    );
    expect(text).toMatch(/^Operator: +unknown\nManagers: +unknown\nReferences: +unknown\n/);
  });

  it('lets nothing that others wrote move the cursor', () => {
    const status = { conditions: [condition('Ready', 'False', 'NoVersion', 'a\u001b[2Jb')] };
    const text = describeReport(
      reportOf({ ...healthy, references: { value: [referenceView({ status })] } }),
      now,
      false,
    );
    expect(text).not.toContain('\u001b');
  });
});
