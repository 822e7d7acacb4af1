import { describe, expect, test } from 'vitest';
import { decideRequest, decideReveal, type RevealFacts } from './decide.ts';
import { buildFacts, buildSecret, buildSpec, buildVersion } from './testing/builders.ts';

const open = { open: true } as const;

describe('a request', () => {
  test('is looked at while the policies are in force', () => {
    expect(decideRequest(false, 60_000, open)).toBe('look');
  });

  test('waits while it is not known whether they are', () => {
    expect(decideRequest(false, 60_000, { open: false, message: 'not seen yet', unsure: true })).toBe('wait');
  });

  test('is refused for good where one is missing: it may be in the name of somebody else', () => {
    expect(decideRequest(false, 60_000, { open: false, message: 'policy p is missing: apply it' })).toEqual({
      state: 'Refused',
      reason: 'PolicyMissing',
      message: 'nothing is revealed, as policy p is missing: apply it. Then ask again',
    });
  });

  test('is too late when its time is over', () => {
    const refusal = decideRequest(true, 60_000, open);

    expect(refusal).toMatchObject({ state: 'Refused', reason: 'TooLate' });
    expect(refusal).toHaveProperty('message', expect.stringMatching(/^it waited 1m without an answer.*ask again$/));
  });
});

describe('a reveal', () => {
  test('gives latest where no version is named', () => {
    expect(decideReveal(buildFacts())).toMatchObject({ state: 'Permitted', version: { version: 3 } });
  });

  test('gives the version that is named', () => {
    expect(decideReveal(buildFacts({ spec: buildSpec({ version: 1 }) }))).toMatchObject({ version: { version: 1 } });
  });

  test.each<[string, Partial<RevealFacts>, string, string]>([
    ['who may not access it', { allowed: false }, 'NotAllowed', 'ada may not access secret db in namespace shop'],
    ['a secret that is not there', { secret: undefined }, 'SecretNotFound', 'there is no secret db in namespace shop'],
    ['a secret that is gone by now', { wanted: undefined }, 'SecretNotFound', 'keyferry list'],
    [
      'a secret that serves nobody',
      { secret: buildSecret({ problem: { reason: 'NameMismatch', message: 'wrong name' } }) },
      'SecretNotFound',
      'secret DB serves nobody: wrong name',
    ],
    ['a write-only secret', { secret: buildSecret({ writeOnly: true }) }, 'WriteOnly', 'secret DB is write-only'],
    ['a secret that was just made write-only', { wanted: { writeOnly: true } }, 'WriteOnly', 'only references'],
    [
      'a secret without a version',
      { secret: buildSecret({ latest: undefined, versions: [] }) },
      'NoVersion',
      'put one by keyferry put',
    ],
    [
      'a version that is not there',
      { spec: buildSpec({ version: 2 }) },
      'VersionNotFound',
      'no version 2: it has 3, 1',
    ],
    [
      'a disabled version',
      { secret: buildSecret({ versions: [buildVersion(3, 'Disabled')] }) },
      'VersionDisabled',
      'version 3 of secret DB is disabled',
    ],
    [
      'a version that was just disabled',
      { wanted: { writeOnly: false, disabledVersions: [3] } },
      'VersionDisabled',
      'enable it, or ask for another',
    ],
  ])('is refused for %s', (_case, facts, reason, words) => {
    const decision = decideReveal(buildFacts(facts));

    expect(decision).toMatchObject({ state: 'Refused', reason });
    expect(decision).toHaveProperty('message', expect.stringContaining(words));
  });

  test('tells who may not access a secret nothing of it, not even whether it is there', () => {
    const there = decideReveal(buildFacts({ allowed: false, secret: buildSecret({ writeOnly: true }) }));
    const missing = decideReveal(buildFacts({ allowed: false, secret: undefined, wanted: undefined }));

    expect(there).toEqual(missing);
  });

  test('lists no more than ten versions of many', () => {
    const versions = Array.from({ length: 12 }, (_, index) => buildVersion(20 - index));
    const decision = decideReveal(buildFacts({ spec: buildSpec({ version: 1 }), secret: buildSecret({ versions }) }));

    expect(decision).toHaveProperty('message', expect.stringMatching(/it has 20, 19.*, 11 and older ones$/));
  });
});
