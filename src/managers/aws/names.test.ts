import { describe, expect, it } from 'vitest';
import { findAnswer, identityOf, nameError } from './names.ts';

const base = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';

describe('a name', () => {
  it.each(['db', 'a/b.c_d-e+f=g@h!', 'UPPER', 'x'.repeat(512), `${base}db-AbCdEf`, `${base}a/db`])(
    '%j can be one of AWS',
    (name) => {
      expect(nameError(name, 'eu-west-1')).toBeUndefined();
    },
  );

  it.each([
    '',
    'a b',
    'a:b',
    'ü',
    'a\n',
    'x'.repeat(513),
    'ARN:aws:x',
    'arn:aws:s3:::bucket',
    base,
    `${base}db name`,
    base.replace('eu-west-1', 'us-east-1').concat('db-AbCdEf'),
  ])('%j can not', (name) => {
    expect(nameError(name, 'eu-west-1')?.reason).toBe('SecretNotFound');
  });
});

describe('an answer', () => {
  const answers = ['db', 'db-AbCdEf', 'db-other'].map((Name, index) => ({ Name, ARN: `${base}${Name}-Suffi${index}` }));

  it('belongs to a name only if it is the very name', () => {
    expect(findAnswer('db', answers)?.Name).toBe('db');
    expect(findAnswer('d', answers)).toBeUndefined();
    expect(findAnswer('DB', answers)).toBeUndefined();
  });

  it('belongs to an ARN, or to one without its last six characters', () => {
    expect(findAnswer(`${base}db-Suffi0`, answers)?.Name).toBe('db');
    expect(findAnswer(`${base}db`, answers)?.Name).toBe('db');
    expect(findAnswer(`${base}db-`, answers)).toBeUndefined();
    expect(findAnswer(`${base}d`, answers)).toBeUndefined();
  });

  it('with the very ARN comes before one that would complete it', () => {
    const full = { Name: 'db', ARN: `${base}db-AbCdEf` };
    expect(findAnswer(full.ARN, [...answers, full])).toBe(full);
    expect(findAnswer(full.ARN, answers)?.Name).toBe('db-AbCdEf');
  });
});

describe('an identity', () => {
  it('differs when the secret was created again', () => {
    expect([identityOf('v1', `${base}db-AbCdEf`), identityOf('v1', `${base}db-XyZ123`)]).toEqual([
      'v1@AbCdEf',
      'v1@XyZ123',
    ]);
  });
});
