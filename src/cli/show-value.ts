import type { SecretValue } from '../managers/secret-value.ts';
import type { Io } from './context.ts';

/** Milliseconds for which a value stands on the screen. */
const SHOWN = 30_000;

/** Where a terminal has no second screen (screen(1), some settings of tmux), the value stands on the first: it is wiped before it is left. */
const screen = { enter: '\u001b[?1049h\u001b[2J\u001b[H', leave: '\u001b[H\u001b[2J\u001b[?1049l' } as const;

/** Shows a value on a screen of its own, which leaves nothing behind: it is gone at a key, at Ctrl-C, and after half a minute. */
export async function showForAWhile(io: Io, title: string, value: SecretValue): Promise<void> {
  io.out(screen.enter);
  try {
    io.out(`${title}\n\n${shownText(value)}\n\nGone in ${SHOWN / 1000} s, or at any key.\n`);
    await io.waitForKey(SHOWN);
  } finally {
    io.out(screen.leave);
  }
}

/** A value as it can be shown: characters that would move the cursor, or worse, are written out. */
export function shownText(value: SecretValue): string {
  const text = textOf(value);
  if (text === undefined) return `(${value.size} bytes that are no text: use -o raw into a file)`;
  return text.replaceAll(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function textOf(value: SecretValue): string | undefined {
  try {
    return value.asString();
  } catch {
    return undefined;
  }
}
