import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../root.ts';

/** What the Dockerfile builds on. */
export interface BaseImages {
  readonly node: string;
  readonly base: string;
}

/** Reads them from the Dockerfile, where they stand as defaults of arguments. */
export async function baseImages(): Promise<BaseImages> {
  const text = await readFile(join(root, 'Dockerfile'), 'utf8');
  return { node: argument(text, 'NODE_IMAGE'), base: argument(text, 'BASE_IMAGE') };
}

function argument(dockerfile: string, name: string): string {
  const value = new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(dockerfile)?.[1];
  if (value === undefined) throw new Error(`The Dockerfile has no default for its argument ${name}.`);
  return value;
}
