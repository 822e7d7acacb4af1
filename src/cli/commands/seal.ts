import { Command } from 'commander';
import { builtInTypes } from '../../api/secret-types.ts';
import { secretTypeSpecSchema } from '../../api/v1/secret-type.ts';
import { checkValue } from '../../managers/embedded/types/check-value.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { nameArgument, versionArgument } from '../arguments.ts';
import { type CliContext, CliError } from '../context.ts';
import { alphabetHelp } from '../generate.ts';
import { collect } from '../options.ts';
import { findInFile, type SecretInFile, withDocument } from '../seal/manifest-file.ts';
import { readPublicKeys } from '../seal/public-keys.ts';
import { type OfflineVersion, secretManifest, versionManifest } from '../seal/seal-version.ts';
import { readTextFile, replaceFile } from '../seal/write-file.ts';
import type { KnownType } from '../secret-types.ts';
import { takeValue, type ValueOptions } from '../take-value.ts';

interface SealOptions extends ValueOptions {
  readonly key?: readonly string[];
  readonly keyFile?: readonly string[];
  readonly type?: string;
  readonly version?: number;
  readonly append?: string;
  /** A global option. */
  readonly namespace?: string;
}

const help = `
It asks no cluster, so the namespace has to be given. The value comes from standard input where that is a pipe, else you are asked for it.

The manifests name no author: they are for the service account of a GitOps tool, which may put them. A person puts values by keyferry put.

Examples:
  printf %s "$VALUE" | keyferry seal api.key -n shop --key "$KEY" > api-key.yaml
  printf %s "$VALUE" | keyferry seal api.key --append api-key.yaml`;

export function sealCommand(context: CliContext): Command {
  return new Command('seal')
    .summary('seal a value offline, for git')
    .description('Seal a value without a cluster and print the manifests for git, or add a version to a file of them.')
    .argument('<name>', 'name of the secret, in any case', nameArgument)
    .option('--key <age1...>', 'public key of a cluster; once for each', collect)
    .option('--key-file <file>', 'file with public keys, one a line; can be repeated', collect)
    .option('--type <name>', 'the SecretType that the secret has in the cluster')
    .option('--version <n>', 'number of the version (default: 1; with --append: the next)', versionArgument)
    .option('--append <file>', 'add the version to this file; without --key, sealed to the keys of the one before')
    .option('--file <path>', 'take the value from a file')
    .option('--generate', 'make a random value')
    .option('--length <n>', 'with --generate: how many characters')
    .option('--alphabet <name>', alphabetHelp)
    .addHelpText('after', help)
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<SealOptions>();
      await (options.append === undefined
        ? sealNew(context, name, options)
        : append(context, name, options.append, options));
    });
}

async function sealNew(context: CliContext, name: string, options: SealOptions): Promise<void> {
  const { namespace, type, version = 1 } = options;
  if (namespace === undefined) throw new CliError('name the namespace by -n: a sealed value is bound to it', 2);
  const keys = await readPublicKeys(options.key, options.keyFile);
  if (keys.length === 0) throw new CliError('name the public key of each cluster, by --key or --key-file', 2);
  const offline = { name, namespace, type, version, keys };
  const sealed = await versionManifest(offline, await valueFor(context, offline, options), namespace);
  context.io.out(`${secretManifest(offline)}---\n${sealed}`);
}

async function append(context: CliContext, name: string, file: string, options: SealOptions): Promise<void> {
  const text = await readTextFile(file);
  const found = findInFile(text, name, file);
  const offline: OfflineVersion = {
    name,
    namespace: agreed('namespace', found.namespace, options.namespace, file) ?? missingNamespace(file),
    type: agreed('type', found.type, options.type, file),
    version: options.version ?? found.lastVersion + 1,
    keys: await keysFor(context, found, file, options),
  };
  if (offline.version <= found.lastVersion) {
    throw new CliError(`${file} has version ${found.lastVersion} already, and numbers only go up`, 2);
  }
  const value = await valueFor(context, offline, options);
  const document = await versionManifest(offline, value, found.namespace);
  await replaceFile(file, withDocument(text, document, file));
  context.io.note(`added version ${offline.version} of secret ${name} to ${file}`);
}

/** Whoever can change the file could add a key of their own to its newest version, and read all that comes after. */
async function keysFor(
  { io }: CliContext,
  { keys, newKeys, lastVersion }: SecretInFile,
  file: string,
  options: SealOptions,
): Promise<readonly string[]> {
  const given = await readPublicKeys(options.key, options.keyFile);
  if (given.length > 0) return given;
  if (keys.length === 0) throw new CliError('name the public key of each cluster, by --key or --key-file', 2);
  if (newKeys.length > 0) {
    throw new CliError(
      `version ${lastVersion} in ${file} is sealed to ${newKeys.join(', ')} too, and no version before it is: name each key by --key, if that is meant`,
      2,
    );
  }
  io.note(`sealed to the keys of version ${lastVersion}: ${keys.join(', ')}`);
  return keys;
}

/** What the file says; an option may say the same, and may say it where the file does not. */
function agreed(
  what: 'namespace' | 'type',
  inFile: string | undefined,
  option: string | undefined,
  file: string,
): string | undefined {
  if (inFile !== undefined && option !== undefined && inFile !== option) {
    throw new CliError(`the ${what} in ${file} is ${inFile}, not ${option}`, 2);
  }
  if (what === 'type' && inFile === undefined && option !== undefined) {
    throw new CliError(`the secret in ${file} has no type: add it there first`, 2);
  }
  return inFile ?? option;
}

function missingNamespace(file: string): never {
  throw new CliError(`${file} names no namespace: give it by -n, as a sealed value is bound to it`, 2);
}

/** Takes the value and compares it with its type, where that is one of those that every cluster has. */
async function valueFor({ io }: CliContext, { type }: OfflineVersion, options: SealOptions): Promise<SecretValue> {
  const known = type === undefined ? undefined : builtInType(type);
  if (type !== undefined && known === undefined) {
    io.note(`note: type ${type} is not known here, so whether the value fits is seen in the cluster`);
  }
  const { value } = await takeValue(io, options, known);
  const mistake = known === undefined ? undefined : checkValue(value, known.spec.schema);
  if (mistake !== undefined)
    throw new CliError(`the value is not of type ${type}: ${mistake.message}. Nothing was sealed`);
  return value;
}

function builtInType(name: string): KnownType | undefined {
  const found = builtInTypes.find(({ metadata }) => metadata.name === name);
  const spec = secretTypeSpecSchema.safeParse(found?.['spec']).data;
  return spec === undefined ? undefined : { name, spec };
}
