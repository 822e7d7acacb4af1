import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretTypeSpecSchema } from '../api/v1/secret-type.ts';
import type { KnownType } from './secret-types.ts';
import { takeValue } from './take-value.ts';
import { fakeContext } from './testing/fake-context.ts';

const canary = 'canary-3f9a77c1';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-value-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function typeOf(schema: object): KnownType {
  return { name: 'login', spec: secretTypeSpecSchema.parse({ displayName: 'Login', schema }) };
}

const login = typeOf({
  type: 'object',
  required: ['user', 'tls'],
  properties: {
    note: { type: 'string' },
    port: { type: 'number', minimum: 1 },
    tls: { type: 'object', required: ['on'], properties: { on: { type: 'boolean' } } },
    user: { type: 'string', title: 'User name' },
  },
});

describe('a value is taken', () => {
  it('from a pipe, byte for byte, with a word where it ends with a line end', async () => {
    const context = fakeContext({ stdin: `${canary}\n` });
    const { value } = await takeValue(context.io, {}, undefined);
    expect(value.asString()).toBe(`${canary}\n`);
    expect(context.notes).toEqual([expect.stringContaining('ends with a line end')]);
    expect(context.notes.join()).not.toContain(canary);
  });

  it('from standard input by - also at a terminal, and also where the type has fields', async () => {
    const { io } = fakeContext({ stdin: '{}', answers: [] });
    expect((await takeValue(io, { stdin: true }, login)).value.asString()).toBe('{}');
    expect((await takeValue(io, { file: '-' }, login)).from).toBe('stdin');
  });

  it('from a file', async () => {
    await writeFile(join(folder, 'value'), Uint8Array.from([0, 255]));
    const { value } = await takeValue(fakeContext().io, { file: join(folder, 'value') }, undefined);
    expect(value.asBytes()).toEqual(Uint8Array.from([0, 255]));
  });

  it('at the terminal, typed twice', async () => {
    const context = fakeContext({ answers: [canary, canary] });
    expect((await takeValue(context.io, {}, undefined)).value.asString()).toBe(canary);
    expect(context.questions).toEqual(['Value (not shown): ', 'Once more: ']);
  });

  it('at the terminal field by field, those that are required first, in the form that each has', async () => {
    const context = fakeContext({ answers: ['', 'ann', 'perhaps', 'true', '', '0x1f'] });
    const { value } = await takeValue(context.io, {}, login);
    expect(JSON.parse(value.asString())).toEqual({ user: 'ann', tls: { on: true }, port: 31 });
    expect(context.questions).toEqual([
      'user - User name: ',
      'user - User name: ',
      'tls.on: ',
      'tls.on: ',
      'note (may be left out): ',
      'port (may be left out; at least 1): ',
    ]);
    expect(context.notes.slice(1)).toEqual(['it is required', 'it must be a boolean']);
  });

  it('by making one', async () => {
    const { value, from } = await takeValue(
      fakeContext().io,
      { generate: true, length: '40', alphabet: 'hex' },
      undefined,
    );
    expect([from, value.asString()]).toEqual(['generated', expect.stringMatching(/^[0-9a-f]{40}$/)]);
  });
});

describe('no value is taken', () => {
  it.each([
    ['from nothing', {}, { stdin: '' }, 'the value is empty'],
    ['from an empty line', {}, { answers: [''] }, 'the value is empty'],
    ['where the second is another', {}, { answers: ['a', 'b'] }, 'not the same'],
    ['from two places', { generate: true, file: 'x' }, {}, 'comes from one place'],
    ['from a file that is not there', { file: '/nowhere/value' }, {}, 'cannot read /nowhere/value: ENOENT'],
    ['that could be guessed', { generate: true, alphabet: 'hex', length: '8' }, {}, '--length 16 or more'],
    ['from the letters of a slip', { generate: true, alphabet: 'symbol' }, {}, 'Did you mean symbols?'],
    ['with a length of nothing', { length: '9' }, {}, '--length and --alphabet go with --generate'],
  ])('%s', async (_what, options, context, message) => {
    await expect(takeValue(fakeContext(context).io, options, undefined)).rejects.toThrow(message);
  });

  it('by making one for a type with fields', async () => {
    await expect(takeValue(fakeContext().io, { generate: true }, login)).rejects.toThrow('have fields');
  });
});
