/** What the keys of one line come to: still typing, done, or Ctrl-C (Ctrl-D on an empty line). */
export type LineState = 'typing' | 'enter' | 'interrupt';

export interface LineKeys {
  /** Takes what the terminal sent, up to the end of the line. What comes after it is no part of the line. */
  take(bytes: Uint8Array): LineState;
  line(): string;
  /** Whether anything was typed after the end of the line. */
  hasMore(): boolean;
}

const ENTER = new Set(['\r', '\n']);
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ERASE = new Set(['\u007f', '\b']);
const ESCAPE = '\u001b';

/**
 * Reads a line key by key from a terminal in raw mode: Backspace and Ctrl-U work, other control keys and escape sequences (the arrows) are ignored, a tab is a tab.
 * @param echo shows what was typed; without it nothing is shown, not even how long the line is
 */
export function lineKeys(echo?: (text: string) => void): LineKeys {
  const decoder = new TextDecoder();
  let typed: string[] = [];
  let escape = '';
  let ended = false;
  let more = false;
  const erase = (count: number): void => {
    if (count === 0) return;
    typed = typed.slice(0, -count);
    echo?.('\b \b'.repeat(count));
  };
  const takeKey = (key: string): LineState => {
    if (escape !== '' || key === ESCAPE) {
      escape = continued(escape, key);
    } else if (ENTER.has(key)) {
      return 'enter';
    } else if (key === CTRL_C || (key === CTRL_D && typed.length === 0)) {
      return 'interrupt';
    } else if (ERASE.has(key)) {
      erase(Math.min(1, typed.length));
    } else if (key === CTRL_U) {
      erase(typed.length);
    } else if (key >= ' ' || key === '\t') {
      typed.push(key);
      echo?.(key);
    }
    return 'typing';
  };
  return {
    take: (bytes) => {
      let state: LineState = ended ? 'enter' : 'typing';
      for (const key of decoder.decode(bytes, { stream: true })) {
        if (ended) more = true;
        else state = takeKey(key);
        if (state === 'interrupt') return state;
        ended = state === 'enter';
      }
      return state;
    },
    line: () => typed.join(''),
    hasMore: () => more,
  };
}

/** An escape sequence is ESC and one character, or ESC, `[` or `O`, and everything up to a letter or `~`. Empty once it is whole. */
function continued(sequence: string, key: string): string {
  const next = sequence + key;
  if (next === ESCAPE || next === `${ESCAPE}[` || next === `${ESCAPE}O`) return next;
  const parameter = next.length > 2 && /[0-9;]/.test(key);
  const first = next.length === 3 && /[0-9;]/.test(key);
  return parameter || first ? next : '';
}
