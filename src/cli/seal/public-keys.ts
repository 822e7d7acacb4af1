import { readFile } from 'node:fs/promises';
import { CliError } from '../context.ts';

const publicKeyForm = /^age1[02-9ac-hj-np-z]{58}$/;
/** As many as one version can be sealed to. */
const MOST_KEYS = 8;

/** The keys that `--key` and `--key-file` name, each once. @throws CliError */
export async function readPublicKeys(
  given: readonly string[] = [],
  files: readonly string[] = [],
): Promise<readonly string[]> {
  const texts = await Promise.all(files.map(readKeyFile));
  const keys = [...new Set([...given, ...texts.flatMap((text) => keysIn(text))])];
  for (const key of keys) {
    if (publicKeyForm.test(key)) continue;
    // What looks like the other half is not repeated.
    const says = /secret/i.test(key)
      ? 'this is the private half of a key, which belongs into no command'
      : `"${key}" is no public key`;
    throw new CliError(
      `${says}: it must be age1 and 58 more characters. The cluster shows it: kubectl get csmgr default -o jsonpath='{.status.publicKey}'`,
      2,
    );
  }
  if (keys.length > MOST_KEYS) throw new CliError(`a version can be sealed to at most ${MOST_KEYS} keys`, 2);
  return keys;
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new CliError(`the file ${file} can not be read`);
  }
}

function keysIn(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}
