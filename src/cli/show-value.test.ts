import { expect, it } from 'vitest';
import { SecretValue } from '../managers/secret-value.ts';
import { showForAWhile, shownText } from './show-value.ts';
import { fakeContext } from './testing/fake-context.ts';

it('a value stands on a screen of its own only, which is left also where the wait fails', async () => {
  const context = fakeContext({ outIsTerminal: true });
  const io = { ...context.io, waitForKey: () => Promise.reject(new Error('the terminal is gone')) };

  await expect(showForAWhile(io, 'Version 1:', SecretValue.fromString('correct horse'))).rejects.toThrow('is gone');

  expect(context.outputs[0]).toContain('\u001b[?1049h');
  expect(context.outputs[1]).toContain('correct horse');
  expect(context.outputs.at(-1)).toBe('\u001b[H\u001b[2J\u001b[?1049l');
});

it('a value can do nothing to the terminal', () => {
  expect(shownText(SecretValue.fromString('a\u001b]0;x\u0007\tb\nc\u202e'))).toBe('a\\u{1b}]0;x\\u{7}\tb\nc\\u{202e}');
  expect(shownText(SecretValue.fromBytes(Uint8Array.from([255, 254])))).toBe(
    '(2 bytes that are no text: use -o raw into a file)',
  );
});
