import { readFile } from 'node:fs/promises';
import { CliError } from '../context.ts';

/** Of an age key of X25519. */
export const publicKeyForm = /^age1[02-9ac-hj-np-z]{58}$/;
/** As many as one version can be sealed to. */
const MOST_KEYS = 8;

/** The keys that `--key` and `--key-file` name, each once. @throws CliError */
export async function readPublicKeys(
  given: readonly string[] = [],
  files: readonly string[] = [],
): Promise<readonly string[]> {
  for (const key of given) if (!publicKeyForm.test(key)) throw notPublic(`"${key}" is no public key`, key);
  const inFiles = await Promise.all(files.map(keysIn));
  const keys = [...new Set([...given, ...inFiles.flat()])];
  if (keys.length > MOST_KEYS) throw new CliError(`a version can be sealed to at most ${MOST_KEYS} keys`, 2);
  return keys;
}

/** What looks like the other half is not repeated. */
function notPublic(says: string, line: string): CliError {
  const what = /secret/i.test(line) ? 'this is the private half of a key, which belongs into no command' : says;
  return new CliError(
    `${what}: it must be age1 and 58 more characters. The cluster shows it: kubectl get csmgr default -o jsonpath='{.status.publicKey}'`,
    2,
  );
}

async function keysIn(file: string): Promise<readonly string[]> {
  const lines = (await readKeyFile(file)).split('\n').map((line) => line.trim());
  for (const [index, line] of lines.entries()) {
    if (isComment(line) || publicKeyForm.test(line)) continue;
    // The wrong file may be one with a value in it: nothing of it is repeated.
    throw notPublic(`line ${index + 1} of ${file} is no public key`, line);
  }
  return lines.filter((line) => !isComment(line));
}

function isComment(line: string): boolean {
  return line === '' || line.startsWith('#');
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new CliError(`the file ${file} can not be read`);
  }
}
