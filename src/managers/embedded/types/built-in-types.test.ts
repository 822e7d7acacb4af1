import { describe, expect, it } from 'vitest';
import { builtInTypes } from '../../../api/secret-types.ts';
import { secretTypeSpecSchema } from '../../../api/v1/secret-type.ts';
import { SecretValue } from '../../secret-value.ts';
import { checkValue, schemaMistake } from './check-value.ts';

const crt = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const key = '-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n';
const database = { username: 'shop', password: 'p', host: 'db.internal', port: 5432, dbname: 'shop' };

const samples: Readonly<Record<string, { readonly good: unknown; readonly bad: readonly unknown[] }>> = {
  'basic-auth': {
    good: { username: 'ann', password: 'p' },
    bad: [{ username: 'ann' }, { username: '', password: 'p' }],
  },
  tls: { good: { 'tls.crt': crt, 'tls.key': key }, bad: [{ 'tls.crt': key, 'tls.key': crt }, { 'tls.crt': crt }] },
  dockerconfigjson: { good: { auths: { 'registry.example.com': { auth: 'YTpi' } } }, bad: [{}, { auths: [] }] },
  'api-key': { good: 'sk_live_0123456789', bad: ['short', 'with a space in it'] },
  database: { good: database, bad: [{ ...database, port: 0 }, { ...database, host: 'a b' }, 'text'] },
};

describe.each(builtInTypes)('the built-in type $metadata.name', ({ metadata, spec }) => {
  const { schema } = secretTypeSpecSchema.parse(spec);
  const { good, bad } = samples[metadata.name] ?? { good: undefined, bad: [] };
  const check = (sample: unknown) =>
    checkValue(SecretValue.fromString(typeof sample === 'string' ? sample : JSON.stringify(sample)), schema);

  it('has a schema that works', () => {
    // The parser drops what it does not know: everything that is written must still be there.
    expect(secretTypeSpecSchema.parse(spec)).toMatchObject(spec ?? {});
    expect(schemaMistake(schema)).toBeUndefined();
  });

  it('takes what it is for', () => {
    expect(check(good)).toBeUndefined();
  });

  it('refuses what it is not for', () => {
    expect(bad.length).toBeGreaterThan(0);
    expect(bad.filter((sample) => check(sample) === undefined)).toEqual([]);
  });
});
