import type { CliContext, Cluster, Io, OutputFormat } from '../context.ts';
import { CliError } from '../context.ts';
import { systemClock } from '../../runtime/clock.ts';

export interface FakeContextOptions {
  readonly cluster?: Cluster;
  /** What is answered to each question, in order. With none, nobody can be asked. */
  readonly answers?: readonly string[];
  readonly stdin?: string | Uint8Array;
  readonly outIsTerminal?: boolean;
  readonly output?: OutputFormat | 'raw';
  readonly configFolder?: string;
}

/** A command's surroundings without a terminal, with what was printed. */
export interface FakeContext extends CliContext {
  readonly outputs: string[];
  readonly notes: string[];
  readonly questions: string[];
}

export function fakeContext(options: FakeContextOptions = {}): FakeContext {
  const { cluster, answers, stdin = '', outIsTerminal = false, output = 'table', configFolder = '/nowhere' } = options;
  const [outputs, notes, questions]: [string[], string[], string[]] = [[], [], []];
  const left = [...(answers ?? [])];
  const ask = (question: string): Promise<string> => {
    questions.push(question);
    const answer = left.shift();
    return answer === undefined ? Promise.reject(new CliError('nobody can be asked')) : Promise.resolve(answer);
  };
  const io: Io = {
    out: (text) => void outputs.push(text),
    outBytes: (bytes) => void outputs.push(Buffer.from(bytes).toString('latin1')),
    note: (text) => void notes.push(text),
    outIsTerminal,
    noteIsTerminal: outIsTerminal,
    inIsTerminal: answers !== undefined,
    readAll: () => Promise.resolve(Buffer.from(stdin)),
    ask,
    askHidden: ask,
    waitForKey: () => Promise.resolve(),
  };
  return {
    io,
    outputs,
    notes,
    questions,
    clock: systemClock,
    signal: new AbortController().signal,
    cluster: () =>
      cluster === undefined ? Promise.reject(new CliError('there is no cluster')) : Promise.resolve(cluster),
    output: () => {
      if (output === 'raw') throw new CliError('not raw');
      return output;
    },
    raw: () => output === 'raw',
    colour: () => false,
    configFolder,
  };
}
