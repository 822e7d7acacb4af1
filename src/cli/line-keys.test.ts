import { describe, expect, it } from 'vitest';
import { lineKeys } from './line-keys.ts';

function typed(...parts: readonly string[]): { readonly line: string; readonly state: string; readonly shown: string } {
  let shown = '';
  const keys = lineKeys((text) => (shown += text));
  let state = 'typing';
  for (const part of parts) state = keys.take(Buffer.from(part));
  return { line: keys.line(), state, shown };
}

describe('a line that is typed', () => {
  it.each([
    ['ends at Enter', ['abc\r'], 'abc', 'enter'],
    ['ends at a line feed, and what comes after it is no part of it', ['abc\ndef'], 'abc', 'enter'],
    ['may have spaces, tabs and characters of many bytes', ['pä ss\t🔑\r'], 'pä ss\t🔑', 'enter'],
    ['loses its last character by Backspace', ['abx\u007fc\r'], 'abc', 'enter'],
    ['loses everything by Ctrl-U', ['wrong\u0015right\r'], 'right', 'enter'],
    ['is not touched by Backspace where it is empty', ['\u007f\u007fa\r'], 'a', 'enter'],
    ['ignores arrows and other keys', ['a\u001b[Db\u001bOA\u001b[1;5Cc\u0001\r'], 'abc', 'enter'],
    ['is given up by Ctrl-C', ['abc\u0003'], 'abc', 'interrupt'],
    ['is given up by Ctrl-D where it is empty', ['\u0004'], '', 'interrupt'],
    ['keeps on at Ctrl-D where it is not', ['a\u0004b\r'], 'ab', 'enter'],
  ])('%s', (_what, parts, line, state) => {
    expect(typed(...parts)).toMatchObject({ line, state });
  });

  it('is put together from bytes that come apart', () => {
    const keys = lineKeys();
    const bytes = Buffer.from('ü\r');
    expect([keys.take(bytes.subarray(0, 1)), keys.take(bytes.subarray(1)), keys.line()]).toEqual([
      'typing',
      'enter',
      'ü',
    ]);
  });

  it('tells whether anything came after its end, at once or later', () => {
    const [pasted, later, single] = [lineKeys(), lineKeys(), lineKeys()];
    pasted.take(Buffer.from('one\rtwo\r'));
    later.take(Buffer.from('one\r'));
    later.take(Buffer.from('two'));
    single.take(Buffer.from('one\r'));
    expect([pasted, later, single].map((keys) => [keys.line(), keys.hasMore()])).toEqual([
      ['one', true],
      ['one', true],
      ['one', false],
    ]);
  });

  it('is shown as it is typed, where it may be', () => {
    expect(typed('ab\u007fc\r').shown).toBe('ab\b \bc');
  });
});
