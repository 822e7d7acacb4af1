import { readFile } from 'node:fs/promises';
import { SecretValue } from '../managers/secret-value.ts';
import { CliError, type Io } from './context.ts';
import { alphabetOf, checkStrength, defaultLength, generateValue, lengthOf } from './generate.ts';
import type { KnownType } from './secret-types.ts';
import { askForm, hasForm } from './value-form.ts';

/** Where a new value comes from, as the options say. */
export interface ValueOptions {
  /** `-` instead of a value. */
  readonly stdin?: boolean | undefined;
  readonly file?: string | undefined;
  readonly generate?: boolean | undefined;
  readonly length?: string | undefined;
  readonly alphabet?: string | undefined;
}

export interface TakenValue {
  readonly value: SecretValue;
  readonly from: 'stdin' | 'file' | 'generated' | 'form' | 'prompt';
}

/**
 * Takes a value: from a file, generated, from standard input where that is a pipe, else from somebody at the terminal, without echo, and field by field where the
 * type has fields.
 * @throws CliError
 */
export async function takeValue(io: Io, options: ValueOptions, type: KnownType | undefined): Promise<TakenValue> {
  const taken = await take(io, options, type);
  if (taken.value.size === 0) throw new CliError('the value is empty: nothing was put');
  return taken;
}

function take(io: Io, options: ValueOptions, type: KnownType | undefined): Promise<TakenValue> {
  refuseMistakes(options);
  const { stdin, file, generate, length, alphabet } = options;
  if (generate === true) return Promise.resolve(generated(length, alphabet, type));
  // `--file -` is what other commands call standard input.
  if (file !== undefined && file !== '-') return fromFile(file);
  if (stdin === true || file === '-' || !io.inIsTerminal) return fromStdin(io);
  return type !== undefined && hasForm(type) ? fromForm(io, type) : fromPrompt(io);
}

function refuseMistakes({ stdin, file, generate, length, alphabet }: ValueOptions): void {
  if ([stdin === true, file !== undefined, generate === true].filter(Boolean).length > 1) {
    throw new CliError('a value comes from one place: -, --file or --generate', 2);
  }
  if (generate !== true && (length !== undefined || alphabet !== undefined)) {
    throw new CliError('--length and --alphabet go with --generate', 2);
  }
}

function generated(length: string | undefined, alphabet: string | undefined, type: KnownType | undefined): TakenValue {
  if (type?.spec.schema.type === 'object') {
    throw new CliError(
      `values of type ${type.name} have fields, which --generate can not make: give them by --file or -`,
      2,
    );
  }
  const size = length === undefined ? defaultLength : lengthOf(length);
  const characters = alphabetOf(alphabet ?? 'alphanumeric');
  checkStrength(size, characters);
  return { value: generateValue(size, characters), from: 'generated' };
}

async function fromFile(path: string): Promise<TakenValue> {
  try {
    return { value: SecretValue.fromBytes(await readFile(path)), from: 'file' };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'it failed';
    throw new CliError(`cannot read ${path}: ${code}`);
  }
}

async function fromStdin(io: Io): Promise<TakenValue> {
  const value = SecretValue.fromBytes(await io.readAll());
  if (value.size > 1 && value.asBytes().at(-1) === NEW_LINE) {
    io.note('note: the value ends with a line end, which becomes part of it; printf %s gives none');
  }
  return { value, from: 'stdin' };
}

const NEW_LINE = 10;

async function fromForm(io: Io, type: KnownType): Promise<TakenValue> {
  return { value: await askForm(io, type), from: 'form' };
}

async function fromPrompt(io: Io): Promise<TakenValue> {
  const first = await io.askHidden('Value (not shown): ');
  if (first === '') throw new CliError('the value is empty: nothing was put');
  const second = await io.askHidden('Once more: ');
  if (first !== second) throw new CliError('the two are not the same: nothing was put');
  return { value: SecretValue.fromString(first), from: 'prompt' };
}
