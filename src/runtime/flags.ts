import { parseArgs } from 'node:util';
import { nearestName } from './nearest-name.ts';

/** One setting of a program: a flag, and a variable of the environment with the same name. */
export interface Setting {
  /** What stands for its value in the help text, such as `<duration>`. A setting without one is a switch: true or false. */
  readonly value?: string;
  readonly help: string;
  /** The text that holds where neither flag nor environment say anything. */
  readonly fallback?: string;
  /** What the help text says about the default where there is no fallback. */
  readonly otherwise?: string;
  /** A variable that is looked at after the setting's own. */
  readonly variable?: string;
}

/** Settings by their names in code. `logLevel` is the flag `--log-level`. */
export type Settings = Readonly<Record<string, Setting>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The texts that the settings were given, and what is wrong with how they were given. */
export interface FlagReading {
  readonly texts: ReadonlyMap<string, string>;
  /** Where each text comes from, for messages: `--log-level` or `KEYFERRY_LOG_LEVEL`. */
  readonly origins: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
  readonly asksFor: 'help' | 'version' | undefined;
}

/** `logLevel` -> `--log-level`. */
function flagName(setting: string): string {
  return `--${kebab(setting)}`;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Reads the texts of all settings: of the flag, else of the variable `<prefix>_<NAME>`, else of `Setting.variable`, else the fallback. An empty variable counts as
 * unset. Unknown variables are no mistake: Kubernetes itself sets some with any prefix, for services.
 */
export function readFlags(settings: Settings, argv: readonly string[], env: Environment, prefix: string): FlagReading {
  const flags = readArguments(settings, argv);
  const texts = new Map<string, string>();
  const origins = new Map<string, string>();
  for (const [name, setting] of Object.entries(settings)) {
    const variables = [variableName(name, prefix), ...(setting.variable === undefined ? [] : [setting.variable])];
    const variable = variables.find((candidate) => (env[candidate] ?? '') !== '');
    const text = flags.texts.get(name) ?? (variable === undefined ? setting.fallback : env[variable]);
    if (text !== undefined) {
      texts.set(name, text);
    }
    origins.set(name, flags.texts.has(name) || variable === undefined ? flagName(name) : variable);
  }
  return { texts, origins, mistakes: flags.mistakes, asksFor: flags.asksFor };
}

function variableName(setting: string, prefix: string): string {
  return `${prefix}_${kebab(setting).replaceAll('-', '_').toUpperCase()}`;
}

interface Arguments {
  readonly texts: Map<string, string>;
  readonly mistakes: string[];
  asksFor: 'help' | 'version' | undefined;
}

type Token = ReturnType<typeof tokensOf>[number];

function readArguments(settings: Settings, argv: readonly string[]): Arguments {
  const names = new Map(Object.keys(settings).map((name) => [flagName(name), name]));
  const read: Arguments = { texts: new Map(), mistakes: [], asksFor: undefined };
  for (const token of tokensOf(settings, argv)) {
    if (token.kind === 'option') {
      readOption(token, settings, names, read);
    } else if (token.kind === 'positional') {
      read.mistakes.push(`unexpected argument ${JSON.stringify(token.value)}: write flags as --name=value`);
    }
  }
  return read;
}

function readOption(
  { rawName, value, inlineValue }: Extract<Token, { kind: 'option' }>,
  settings: Settings,
  names: ReadonlyMap<string, string>,
  read: Arguments,
): void {
  const name = names.get(rawName);
  if (rawName === '--help' || rawName === '-h') {
    read.asksFor = 'help';
  } else if (rawName === '--version') {
    read.asksFor ??= 'version';
  } else if (name === undefined) {
    read.mistakes.push(unknownFlag(rawName, [...names.keys()]));
  } else if (settings[name]?.value === undefined) {
    read.texts.set(name, value ?? 'true');
  } else if (value === undefined || (!inlineValue && value.startsWith('-'))) {
    read.mistakes.push(`${rawName}: needs a value, ${rawName}=${settings[name].value}`);
  } else {
    read.texts.set(name, value);
  }
}

function tokensOf(settings: Settings, argv: readonly string[]) {
  const entries = Object.entries(settings).map(([name, { value }]) => {
    return [kebab(name), { type: value === undefined ? ('boolean' as const) : ('string' as const) }] as const;
  });
  return parseArgs({ args: [...argv], options: Object.fromEntries(entries), strict: false, tokens: true }).tokens;
}

function unknownFlag(flag: string, known: readonly string[]): string {
  const nearest = nearestName(flag, known);
  return `${flag}: there is no such flag${nearest === undefined ? ', see --help' : `, did you mean ${nearest}?`}`;
}

/** A paragraph for each setting: its flag, what it does, its default and its further variable. */
export function describeSettings(settings: Settings): string {
  const lines: string[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    const value = setting.value === undefined ? '' : ` ${setting.value}`;
    lines.push(`  ${flagName(name)}${value}`);
    lines.push(...wrap(`${setting.help} ${noteOf(setting)}`, 92).map((line) => `      ${line}`));
  }
  return lines.join('\n');
}

function noteOf({ fallback, otherwise, variable }: Setting): string {
  const notes = [
    ...(variable === undefined ? [] : [`also from ${variable}`]),
    `default: ${otherwise ?? (fallback === undefined || fallback === '' ? 'none' : fallback)}`,
  ];
  return `(${notes.join('; ')})`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = `${line} ${word}`;
    }
  }
  return lines;
}
