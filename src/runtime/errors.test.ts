import { describe, expect, it } from 'vitest';
import { describeError, safeMessage, TerminalError } from './errors.ts';

const canary = 'hunter2-canary';

describe('the description of an error', () => {
  it('has the name and the message of an error that is marked as safe', () => {
    expect(describeError(new TerminalError('the spec names no secret')).error).toBe(
      'TerminalError: the spec names no secret',
    );
  });

  it('security rule 16: never has the message of a parser, which quotes the value', () => {
    let thrown: unknown;
    try {
      JSON.parse(`{"password": ${canary}}`);
    } catch (error) {
      thrown = error;
    }
    const { error } = describeError(thrown);
    expect(String(thrown)).toContain('hunter2');
    expect(error).not.toContain('hunter2');
    expect(error).toMatch(/^SyntaxError\n {4}at /);
  });

  it.each([
    ['lines that look like frames', new Error(`x\n    at ${canary} (file:///${canary}:1:1)\n    at /${canary}:1:1`)],
    ['a cause', new Error('x', { cause: new Error(canary) })],
    ['a message changed after the error was made', Object.assign(new Error(canary), { message: 'other' })],
    ['a name that is a text', Object.assign(new Error('x'), { name: `no ${canary}` })],
    ['a code that is a text', Object.assign(new Error('x'), { code: canary })],
    ['a stack that is a text', Object.assign(new Error('x'), { stack: canary })],
    ['a thrown string', canary],
    ['a thrown object', { message: canary, detail: [canary] }],
    ['a marker that is not true', Object.assign(new Error(canary), { [safeMessage]: 'yes' })],
  ])('has nothing of %s', (_, thrown) => {
    expect(describeError(thrown).error).not.toContain(canary);
  });

  it('has the code of a system error, also of one that is the cause', () => {
    const cause = Object.assign(new Error(`connect ${canary}`), { code: 'ECONNREFUSED' });
    const { error } = describeError(new TypeError('fetch failed', { cause }));
    expect(error).toMatch(/^TypeError \[ECONNREFUSED\]\n/);
    expect(error).not.toContain(canary);
  });

  it('says of what type a thrown thing is that is no error', () => {
    expect([describeError(null), describeError('x')]).toEqual([{ error: 'thrown null' }, { error: 'thrown string' }]);
  });
});
