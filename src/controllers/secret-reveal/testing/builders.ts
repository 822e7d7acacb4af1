import type { SecretRevealSpec } from '../../../api/v1/secret-reveal.ts';
import type { StoredVersion } from '../../../api/v1/versioned-secret.ts';
import type { EmbeddedSecret } from '../../../managers/embedded/backend.ts';
import type { RevealFacts } from '../decide.ts';

/** What reveals are about, whole and valid, differing in what a test is about. */
export function buildSpec(overrides: Partial<SecretRevealSpec> = {}): SecretRevealSpec {
  return {
    secret: 'db',
    reason: 'look into the outage',
    recipient: `age1${'q'.repeat(58)}`,
    requestedBy: 'ada',
    requestedByGroups: ['dev'],
    ...overrides,
  };
}

export function buildVersion(version: number, state: StoredVersion['state'] = 'Enabled'): StoredVersion {
  return { version, state, uid: `uid-${version}`, key: 'age1', digest: 'd', createdAt: '2026-01-01T00:00:00Z' };
}

/** `DB` with the versions 3 and 1. */
export function buildSecret(overrides: Partial<EmbeddedSecret> = {}): EmbeddedSecret {
  return {
    namespace: 'shop',
    object: 'db',
    name: 'DB',
    labels: {},
    writeOnly: false,
    latest: 3,
    previous: 1,
    versions: [buildVersion(3), buildVersion(1)],
    problem: undefined,
    ...overrides,
  };
}

export function buildFacts(overrides: Partial<RevealFacts> = {}): RevealFacts {
  return {
    spec: buildSpec(),
    namespace: 'shop',
    allowed: true,
    secret: buildSecret(),
    wanted: { writeOnly: false },
    ...overrides,
  };
}
