import { describe, expect, it } from 'vitest';
import { secretTypeSpecSchema, type ValueSchema } from '../../../api/v1/secret-type.ts';
import { SecretValue } from '../../secret-value.ts';
import { checkValue, schemaMistake } from './check-value.ts';

const canary = 'canary-3f9a77c1';

function schemaOf(schema: object): ValueSchema {
  return secretTypeSpecSchema.parse({ schema }).schema;
}

function check(value: string, schema: object): string | undefined {
  const mistake = checkValue(SecretValue.fromString(value), schemaOf(schema));
  return mistake === undefined ? undefined : `${mistake.rule}: ${mistake.message}`;
}

const person = {
  type: 'object',
  required: ['user'],
  additionalProperties: false,
  properties: {
    user: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 2 } } },
    port: { type: 'number', minimum: 1, maximum: 65_535 },
    mode: { type: 'string', enum: ['fast', 'slow'] },
  },
};

describe('a value fits', () => {
  it.each([
    ['text', 'correct horse', { type: 'string', minLength: 3, pattern: '^[a-z ]+$' }],
    ['text of characters beyond ASCII', 'ab🔑', { type: 'string', maxLength: 3 }],
    ['an object', '{"user": {"name": "ann", "more": [1]}, "port": 5432, "mode": "fast"}', person],
    ['a number', '12', { type: 'number', minimum: 12 }],
    ['a boolean', 'true', { type: 'boolean' }],
    ['an object of any kind', '{"a": {"b": {"c": {"d": {"e": 1}}}}}', { type: 'object' }],
  ])('as %s', (_what, value, schema) => {
    expect(check(value, schema)).toBeUndefined();
  });
});

describe('a value is refused', () => {
  it.each([
    ['text that is too short', 'ab', { type: 'string', minLength: 3 }, 'minLength: the value must have at least 3'],
    ['text that is too long', 'abcd', { type: 'string', maxLength: 3 }, 'maxLength: the value must have at most 3'],
    [
      'text beside the pattern',
      'AB',
      { type: 'string', pattern: '^[a-z]+$' },
      'pattern: the value must match ^[a-z]+$',
    ],
    ['no JSON', `{"${canary}`, person, 'type: the value is not JSON: it must be an object'],
    ['a list', '[1]', person, 'type: the value must be an object'],
    ['null', 'null', person, 'type: the value must be an object'],
    ['a missing property', '{}', person, 'required: the value must have the property user'],
    [
      'all missing properties at once',
      '{"port": 1}',
      { type: 'object', required: ['host', 'port', 'user'] },
      'required: the value must have the properties host, user',
    ],
    ['a missing property below', '{"user": {}}', person, 'required: user must have the property name'],
    ['a wrong type below', '{"user": {"name": 5}}', person, 'type: user.name must be a string'],
    ['a wrong length below', '{"user": {"name": "a"}}', person, 'minLength: user.name must have at least 2'],
    ['a number too small', '{"user": {"name": "an"}, "port": 0}', person, 'minimum: port must be at least 1'],
    ['a number too large', '{"user": {"name": "an"}, "port": 70000}', person, 'maximum: port must be at most 65535'],
    ['a value not listed', '{"user": {"name": "an"}, "mode": "x"}', person, 'enum: mode must be one of the values'],
    [
      'a property that is not named',
      `{"user": {"name": "an"}, "${canary}": 1}`,
      person,
      'additionalProperties: the value has a property that the type does not name',
    ],
  ])('for %s', (_what, value, schema, message) => {
    expect(check(value, schema)).toContain(message);
  });

  it('security rule 15: in words that have nothing of it', () => {
    const values = [canary, `{"${canary}": 1}`, `{"user": {"name": "${canary}"}, "mode": "${canary}"}`];
    const told = values.flatMap((value) => check(value, person) ?? []);
    expect(told).toHaveLength(3);
    expect(told.filter((text) => text.includes(canary))).toEqual([]);
  });

  it('for bytes that are no text', () => {
    const mistake = checkValue(SecretValue.fromBytes(Uint8Array.from([0xff])), schemaOf({ type: 'string' }));
    expect(mistake?.message).toBe('the value is not text (UTF-8)');
  });
});

describe('security rule 15: hostile values and schemas', () => {
  it.each([
    ['deep nesting', '['.repeat(50_000)],
    ['deep objects', '{"a":'.repeat(20_000)],
    ['names of the prototype', '{"__proto__": {"user": {"name": "ann"}}}'],
    ['constructor', '{"constructor": {"name": "ann"}}'],
  ])('%s is refused', (_what, value) => {
    expect(check(value, person)).toBeDefined();
  });

  const good = '"user": {"name": "ann"}';
  const anything = { type: 'object' };
  it.each([
    ['a property twice', `{${good}, ${good}}`, 'unique: the value has a property twice in one object'],
    ['a property twice, once escaped', '{"user": 1, "us\\u0065r": 2}', 'unique'],
    ['a property twice far below', '{"a": [{"b": {"c": 1, "c": 2}}]}', 'unique'],
    [
      'a name of the prototype far below',
      '{"a": [{"b": {"\\u005f_proto__": 1}}]}',
      'reserved: the value has a property',
    ],
    ['objects too deep', `${'{"a":'.repeat(64)}{}${'}'.repeat(64)}`, 'nesting: the value nests more than 64 deep'],
    ['lists too deep', `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'nesting'],
  ])('%s is refused, which other readers may take for another value', (_what, value, says) => {
    expect(check(value, anything)).toContain(says);
  });

  it.each([
    ['what looks like it in a text', '{"a": "{\\"b\\": 1, \\"b\\": [[[", "b": "__proto__", "c": "constructor"}'],
    ['the same property in two objects', '{"a": {"c": 1}, "b": [{"c": 1}, {"c": 2}], "c": "c"}'],
    ['a huge list', `{"a": [${'1,'.repeat(200_000)}1]}`],
    ['a huge text', JSON.stringify({ a: '\\"'.repeat(100_000) })],
  ])('%s is let through', (_what, value) => {
    expect(check(value, anything)).toBeUndefined();
  });

  it('a number beyond all bounds is refused', () => {
    expect(check('1e999', { type: 'number' })).toContain('type');
  });

  it('a pattern that would take seconds is not tried, on one long text or on many short ones', () => {
    const pattern = '\\pL{1000}$';
    const names = Array.from({ length: 50 }, (_none, index) => `p${index}`);
    const properties = Object.fromEntries(names.map((name) => [name, { type: 'string', pattern }]));
    const many = JSON.stringify(Object.fromEntries(names.map((name) => [name, 'é'.repeat(5_000)])));

    expect(check(`${'é'.repeat(200_000)}1`, { type: 'string', pattern })).toContain('pattern: the value is too long');
    expect(check(many, { type: 'object', properties })).toContain('is too long');
  });

  it('a property called as one of the prototype is looked for in the value alone', () => {
    expect(check('{}', { type: 'object', required: ['toString'] })).toContain('must have the property toString');
  });

  it('a pattern that others backtrack on takes no time to speak of', () => {
    expect(check(`${'a'.repeat(50_000)}!`, { type: 'string', pattern: '^(a+)+$' })).toContain('pattern');
  });

  it('a pattern that is none is named, and lets nothing through', () => {
    const schema = { type: 'object', properties: { name: { type: 'string', pattern: '(?<=a)b' } } };
    expect(schemaMistake(schemaOf(schema))).toBe('name pattern is not a regular expression of RE2');
    expect(check('{"name": "ab"}', schema)).toContain('pattern');
    expect(schemaMistake(schemaOf(person))).toBeUndefined();
  });
});
