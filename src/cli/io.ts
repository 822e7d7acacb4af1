import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { CliError, type Io } from './context.ts';
import { type LineKeys, lineKeys } from './line-keys.ts';

export interface IoStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The process's own terminal and pipes. Questions go to the terminal itself, so that they can be answered while standard input is a pipe. */
export function processIo({ stdin, stdout, stderr }: IoStreams, signal: AbortSignal): Io {
  const note = (text: string): void => void stderr.write(`${text}\n`);
  const asked = askedTerminal();
  const question = async (text: string, echo: boolean): Promise<string> => {
    // Before the question stands there: what is typed at once would be shown.
    const terminal = asked.take();
    stderr.write(text);
    try {
      return await untilEnter(terminal, lineKeys(echo ? (shown) => stderr.write(shown) : undefined), signal);
    } finally {
      stderr.write('\n');
      asked.giveBack();
    }
  };
  return {
    out: (text) => void stdout.write(text),
    outBytes: (bytes) => void stdout.write(bytes),
    note,
    outIsTerminal: stdout.isTTY,
    noteIsTerminal: stderr.isTTY,
    inIsTerminal: stdin.isTTY,
    readAll: () => readAll(stdin),
    ask: (text) => question(text, true),
    askHidden: (text) => question(text, false),
    waitForKey: (ms) => waitForKey(ms, signal),
  };
}

async function readAll(stdin: AsyncIterable<unknown>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stdin) if (part instanceof Uint8Array) parts.push(part);
  return Buffer.concat(parts);
}

async function waitForKey(ms: number, signal: AbortSignal): Promise<void> {
  const terminal = openTerminal();
  terminal.setRawMode(true);
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', done, { once: true });
  if (signal.aborted) done();
  terminal.once('data', done);
  terminal.once('error', done);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', done);
  terminal.setRawMode(false);
  terminal.destroy();
}

function openTerminal(): ReadStream {
  try {
    return new ReadStream(openSync('/dev/tty', 'r+'));
  } catch {
    throw new CliError('there is no terminal to ask at: give what is needed by options, and values by standard input');
  }
}

/** The terminal, which shows nothing by itself meanwhile, nor between one question and the next: somebody may type ahead. */
function askedTerminal(): { take(): ReadStream; giveBack(): void } {
  let terminal: ReadStream | undefined;
  let end: NodeJS.Immediate | undefined;
  return {
    take: () => {
      clearImmediate(end);
      // One that breaks between two questions breaks the next.
      terminal ??= openTerminal().on('error', () => undefined);
      terminal.setRawMode(true);
      return terminal;
    },
    giveBack: () => {
      end = setImmediate(() => {
        terminal?.setRawMode(false);
        terminal?.destroy();
        terminal = undefined;
      });
    },
  };
}

/** Milliseconds without another key after which a line that has ended was all. */
const QUIET = 50;

/**
 * Where several lines are pasted, all of them are taken off the terminal before they are refused: the shell would run what is left there, and keep it in its history.
 */
function untilEnter(terminal: ReadStream, keys: LineKeys, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const interrupted = (): void => reject(new CliError('interrupted: nothing was done', INTERRUPTED));
  const end = (): void => (keys.hasMore() ? reject(new CliError(severalLines)) : resolve(keys.line()));
  let timer: NodeJS.Timeout | undefined;
  const take = (bytes: Buffer): void => {
    const state = keys.take(bytes);
    clearTimeout(timer);
    if (state === 'enter') timer = setTimeout(end, QUIET);
    if (state === 'interrupt') interrupted();
  };
  signal.addEventListener('abort', interrupted, { once: true });
  if (signal.aborted) interrupted();
  terminal.on('data', take);
  terminal.once('end', interrupted);
  terminal.once('error', interrupted);
  terminal.resume();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
    // What comes now is for the next question.
    terminal.pause();
    terminal.off('data', take);
    terminal.off('end', interrupted);
    terminal.off('error', interrupted);
  });
}

const INTERRUPTED = 130;
const severalLines =
  'that were several lines: nothing was done. Give a value of several lines by --file, or by standard input and -';
