import { describe, expect, it } from 'vitest';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { ManagerError } from '../../managers/errors.ts';
import { buildReference } from '../testing/builders.ts';
import { definite } from './failure.ts';
import type { Reference } from './reference.ts';
import { type Findings, nextStatus, sameStatus } from './status.ts';

const target = { name: 'api-db', uid: 's', resourceVersion: '7', ownership: 'Owner', inputs: '1:a' } as const;
const version = {
  manager: 'ClusterSecretManager/default',
  secret: 'db.password',
  requested: 'latest',
  version: '3',
  identity: '3@x',
  keys: ['password'],
  since: 't0',
};
const secret = { content: '1:a', previous: '', agreed: true };
function syncedWith(changed: boolean): Findings {
  return {
    outcome: { state: 'synced', versions: [version], target, secret, changed },
    trouble: undefined,
    syncRequest: undefined,
  };
}

const synced = syncedWith(true);

function ready(status: SecretReferenceStatus) {
  return status.conditions?.find((condition) => condition.type === 'Ready');
}

function syncedReference() {
  return buildReference({ status: nextStatus(buildReference(), synced, 't1') });
}

describe('the status of a reference', () => {
  it('says what the target holds', () => {
    const status = nextStatus(buildReference(), synced, 't1');
    expect(ready(status)).toMatchObject({
      status: 'True',
      reason: 'Synced',
      message: 'Secret api-db holds db.password@3',
    });
    expect(status).toMatchObject({ summary: 'db.password@3', lastChangeTime: 't1', observedGeneration: 1 });
  });

  it('is the same when nothing changed, whatever the time', () => {
    const reference = syncedReference();
    const again = nextStatus(reference, syncedWith(false), 't9');
    expect(sameStatus(reference.status, again)).toBe(true);
  });

  it('stays ready when the manager can not be asked', () => {
    const error = new ManagerError('Throttled', 'throttled');
    const failure = { ...definite('Throttled', 'key a: throttled'), transient: true };
    const reference = syncedReference();
    const status = nextStatus(
      reference,
      {
        outcome: { state: 'failed', failure, released: false },
        trouble: { error, since: 5, tries: 1, stale: false },
        syncRequest: undefined,
      },
      't2',
    );
    expect(sameStatus(reference.status, status)).toBe(true);
  });

  it('is not ready when the manager can not be asked about a new spec', () => {
    const failure = { ...definite('Throttled', 'throttled'), transient: true };
    const { status: before } = syncedReference();
    const reference = buildReference({ metadata: { generation: 2 }, status: before });
    const status = nextStatus(
      reference,
      { outcome: { state: 'failed', failure, released: false }, trouble: undefined, syncRequest: undefined },
      't2',
    );
    expect(ready(status)).toMatchObject({ status: 'False', reason: 'Throttled', lastTransitionTime: 't2' });
  });

  it('keeps what the target holds when a definite answer makes it not ready', () => {
    const failure = definite('SecretNotFound', 'not found');
    const status = nextStatus(
      syncedReference(),
      { outcome: { state: 'failed', failure, released: false }, trouble: undefined, syncRequest: undefined },
      't2',
    );
    expect(status).toMatchObject({ versions: [version], target, summary: 'db.password@3' });
    expect(ready(status)).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
  });

  it('forgets the target once it was given up', () => {
    const failure = { ...definite('AccessDenied', 'denied'), denied: 'Delete' as const };
    const status = nextStatus(
      syncedReference(),
      { outcome: { state: 'failed', failure, released: true }, trouble: undefined, syncRequest: undefined },
      't2',
    );
    expect(status.target).toBeUndefined();
    expect(status.summary).toBe('-');
  });

  it('becomes stale only when the trouble says so', () => {
    const error = new ManagerError('ManagerUnavailable', 'cannot connect to it');
    const trouble = { error, since: 0, tries: 1, stale: false };
    const stale = (findings: Findings) =>
      nextStatus(syncedReference(), findings, 't2').conditions?.find(({ type }) => type === 'Stale');
    expect(stale({ ...synced, trouble })).toMatchObject({ status: 'False' });
    expect(stale({ ...synced, trouble: { ...trouble, stale: true } })).toMatchObject({
      status: 'True',
      reason: 'ManagerUnavailable',
      message: expect.stringContaining('cannot connect to it'),
    });
  });

  describe('Stale', () => {
    const error = new ManagerError('ManagerUnavailable', 'cannot connect to it');
    const fresh = { error, since: 5, tries: 1, stale: false };
    const unheard = { ...definite('ManagerUnavailable', 'key a: cannot connect to it'), transient: true };
    const failed = { state: 'failed', failure: unheard, released: false } as const;
    const staleOf = (status: SecretReferenceStatus) => status.conditions?.find(({ type }) => type === 'Stale');
    function staleReference() {
      const trouble = { ...fresh, stale: true };
      return buildReference({ status: nextStatus(syncedReference(), { ...synced, trouble }, 't2') });
    }

    it('stays as it was told while a process that has just started was not answered', () => {
      const reference = staleReference();
      const status = nextStatus(reference, { outcome: failed, trouble: fresh, syncRequest: undefined }, 't3');
      expect(staleOf(status)).toEqual(staleOf(reference.status));
    });

    it('speaks of last values only where there are some', () => {
      const findings = { outcome: failed, trouble: { ...fresh, stale: true }, syncRequest: undefined };
      const messageFor = (reference: Reference) => staleOf(nextStatus(reference, findings, 't'))?.message;
      expect(messageFor(syncedReference())).toContain('the Secret keeps its last values: cannot connect to it');
      expect(messageFor(buildReference())).toBe("the manager can't be asked: cannot connect to it");
    });

    it('ends with an answer, whatever went wrong since', () => {
      const status = nextStatus(staleReference(), { ...synced, trouble: fresh }, 't3');
      expect(staleOf(status)).toMatchObject({ status: 'False', lastTransitionTime: 't3' });
    });

    it('says at once that the manager itself does not work', () => {
      const outcome = { ...failed, failure: { ...unheard, message: 'its credentials are missing' } };
      const status = nextStatus(syncedReference(), { outcome, trouble: undefined, syncRequest: undefined }, 't2');
      expect(staleOf(status)).toMatchObject({
        status: 'True',
        reason: 'ManagerUnavailable',
        message: expect.stringContaining('its credentials are missing'),
      });
      expect(ready(status)).toMatchObject({ status: 'True' });
    });
  });

  it('says that it is suspended without taking back that the target is right', () => {
    const status = nextStatus(
      syncedReference(),
      {
        outcome: { state: 'suspended', suspension: { message: 'until then' } },
        trouble: undefined,
        syncRequest: undefined,
      },
      't2',
    );
    expect(ready(status)).toMatchObject({
      status: 'True',
      reason: 'Suspended',
      message: 'suspended: until then',
      lastTransitionTime: 't1',
    });
  });
});
