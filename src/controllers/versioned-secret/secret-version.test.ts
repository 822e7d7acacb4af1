import { expect, test } from 'vitest';
import { buildMetadata } from '../testing/builders.ts';
import { toSecretVersion } from './secret-version.ts';
import { toVersionedSecret } from './versioned-secret.ts';

const annotations = { 'keyferry.io/note': 'x'.repeat(200_000), note: 'y' };

test('security rule 5: of what whoever puts may write onto an object, the operator remembers only what it reads', () => {
  const labels = { note: 'x', 'keyferry.io/trim': 'true' };
  const spec = { secret: 'db', version: 1, sealed: [{ key: 'age1', data: 'A'.repeat(200_000) }] };

  const version = toSecretVersion({ metadata: { ...buildMetadata(), annotations, labels }, spec });
  const secret = toVersionedSecret({ metadata: { ...buildMetadata(), annotations }, spec: {} });

  expect(version.metadata.labels).toEqual({ 'keyferry.io/trim': 'true' });
  expect([version.metadata.annotations, secret.metadata.annotations]).toEqual([{}, {}]);
  expect(JSON.stringify(version).length).toBeLessThan(1_000);
});
