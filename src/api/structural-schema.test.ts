import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from './structural-schema.ts';
import { checks, list, map, text } from './v1/parts.ts';
import { refusedFields } from './v1/refused.ts';

describe('a structural schema', () => {
  it('keeps types, limits, descriptions and CEL rules', () => {
    const rule = { rule: 'self != "b"', message: 'not b' };
    const schema = z.object({ a: text({ description: 'An a.', maxLength: 5, rules: [rule] }) });

    expect(structuralSchema(schema)).toEqual({
      type: 'object',
      required: ['a'],
      properties: {
        a: {
          description: 'An a.',
          type: 'string',
          minLength: 1,
          maxLength: 5,
          'x-kubernetes-validations': [rule],
        },
      },
    });
  });

  it('requires what has neither a default nor leave to be missing', () => {
    const schema = z.object({ a: z.string(), b: z.string().optional(), c: z.string().default('x') });

    expect(structuralSchema(schema)).toMatchObject({ required: ['a'], properties: { c: { default: 'x' } } });
  });

  it('fills the default of an object with the defaults below it, as CEL rules judge it before the API server does', () => {
    const below = z.object({ kind: z.string().default('x'), name: z.string().optional() });

    expect(structuralSchema(z.object({ ref: below.prefault({}) }))).toMatchObject({
      properties: { ref: { default: { kind: 'x' } } },
    });
  });

  it('keeps limits on maps and lists', () => {
    const value = text({ description: 'A value.', maxLength: 3 });
    const schema = z.object({
      map: map(value, { description: 'A map.', maxProperties: 2 }),
      list: list(value, { description: 'A list.', maxItems: 4 }),
    });

    const item = { description: 'A value.', type: 'string', minLength: 1, maxLength: 3 };
    expect(structuralSchema(schema)['properties']).toEqual({
      map: { description: 'A map.', type: 'object', maxProperties: 2, additionalProperties: item },
      list: { description: 'A list.', type: 'array', maxItems: 4, 'x-kubernetes-list-type': 'atomic', items: item },
    });
  });

  it('gives integers their own limits and not those of a JavaScript number', () => {
    expect(structuralSchema(z.object({ a: z.int(), b: z.int().min(1).max(20) }))['properties']).toEqual({
      a: { type: 'integer', format: 'int64' },
      b: { type: 'integer', format: 'int64', minimum: 1, maximum: 20 },
    });
  });

  it('adds refused fields, which the parser does not let through', () => {
    const message = 'not here';
    const schema = z
      .object({ a: z.string() })
      .meta({ ...checks({ rule: 'true', message: 'x' }), ...refusedFields({ endpoint: { type: 'string', message } }) });

    expect(structuralSchema(schema)).toMatchObject({
      properties: { a: {}, endpoint: { type: 'string', 'x-kubernetes-validations': [{ rule: 'false', message }] } },
    });
    expect(schema.parse({ a: 'x', endpoint: 'https://evil.test' })).toEqual({ a: 'x' });
  });

  it.each([
    ['a union', z.object({ a: z.union([z.string(), z.int()]) }), /schema\.a uses anyOf/],
    ['null', z.object({ a: z.string().nullable() }), /schema\.a has not exactly one type/],
    ['a constant', z.object({ a: z.literal('x') }), /schema\.a uses const/],
    ['anything', z.object({ a: z.unknown() }), /schema\.a has not exactly one type/],
    [
      'a mistake deep down',
      z.object({ a: z.array(z.object({ b: z.unknown() })) }),
      /schema\.a\[\]\.b has not exactly one type/,
    ],
  ])('refuses %s, which a CRD can not say', (_what, schema, error) => {
    expect(() => structuralSchema(schema)).toThrow(error);
  });
});
