import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import {
  backupKeys,
  createKey,
  type KeysOptions,
  listKeys,
  resealVersions,
  restoreFrom,
  retireKey,
  rotateKey,
  type TrustOptions,
  trustPublished,
} from '../keys/actions.ts';
import { timeoutOption } from '../options.ts';

export function keysCommand(context: CliContext): Command {
  const keys = new Command('keys').description('the keys that values are sealed to: list, back up, rotate');
  keys
    .command('list')
    .description('list the keys, which is in use, and how many versions are sealed to each')
    .action((options: KeysOptions) => listKeys(context, options));
  keys
    .command('backup')
    .description('write all keys to a file that only you can read')
    .option('--file <file>', 'where to (default: standard output, if that is no terminal)')
    .action((options: KeysOptions & { readonly file?: string }) => backupKeys(context, options));
  keys
    .command('restore')
    .description('put the keys of a backup back. Keys that are there stay')
    .argument('<file>', 'a file made by keyferry keys backup')
    .action((file: string, options: KeysOptions) => restoreFrom(context, file, options));
  keys
    .command('rotate')
    .description('make a new key, which new values are sealed to. Old keys still open old values')
    .action((options: KeysOptions) => rotateKey(context, options));
  keys
    .command('create')
    .description('make a first key in place of those that are lost for good, with their backups')
    .option('--yes', 'do not ask')
    .action((options: KeysOptions & { readonly yes?: true }) => createKey(context, options));
  keys
    .command('reseal')
    .description('have the operator seal all versions to the key in use, and wait for it')
    .addOption(timeoutOption('how long to wait', 600_000))
    .action((options: KeysOptions & { readonly timeout: number }) => resealVersions(context, options));
  keys
    .command('retire')
    .description('remove an old key that nothing is sealed to any more')
    .argument('<key>', 'its name in the list, or the public key')
    .option('--yes', 'do not ask')
    .action((word: string, options: KeysOptions & { readonly yes?: true }) => retireKey(context, word, options));
  for (const below of keys.commands) {
    below.option('--operator-namespace <name>', 'where the operator runs', 'keyferry');
  }
  keys.addCommand(trustCommand(context));
  return keys;
}

function trustCommand(context: CliContext): Command {
  return new Command('trust')
    .description('accept the key that the cluster publishes now, after it has changed')
    .option(
      '--fingerprint <text>',
      'what an administrator told you, SHA256:... or age1...: another key is not accepted',
    )
    .option('--manager <name>', 'whose key (default: ClusterSecretManager default)')
    .option('--yes', 'do not ask')
    .action((options: TrustOptions) => trustPublished(context, options));
}
