/** One step of a pattern: a character as it stands, or a wildcard. */
type Step = { readonly kind: 'character'; readonly character: string } | { readonly kind: 'star' | 'globstar' };

/**
 * Why a pattern for secret names can't match anything, as a fixed text; undefined for a good one.
 *
 * `*` is any run of characters within a segment (between slashes), `**` one or more whole segments, or at the very end of the pattern the whole rest of
 * the name; `{namespace}` is a whole segment.
 */
export function secretPatternMistake(pattern: string): string | undefined {
  if (pattern === '') return 'is empty';
  if (/\p{C}/u.test(pattern)) return 'has a control character';
  const segments = pattern.split('/');
  for (const [index, segment] of segments.entries()) {
    const mistake = segmentMistake(segment, index === 0, index === segments.length - 1);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

function segmentMistake(segment: string, first: boolean, last: boolean): string | undefined {
  if (segment === '') return first && !last ? undefined : 'has an empty segment (`//`, or a slash at the end)';
  if (segment === '.' || segment === '..') return 'has a segment `.` or `..`';
  if (segment === '{namespace}') return undefined;
  if (/[{}]/.test(segment))
    return 'has braces: only {namespace}, as a whole segment between slashes, may stand in them';
  const wide = segment.indexOf('**');
  if (wide === -1 || segment === '**' || (last && wide === segment.length - 2)) return undefined;
  return 'has `**` inside a segment: it may be a whole segment, or stand at the very end';
}

/**
 * Why no rule can ever grant a name, as a fixed text; undefined for a good name. A name that a backend or a proxy might read as another one
 * (`a/../b`, `a//b`) is not matched but refused.
 */
export function secretNameMistake(secret: string): string | undefined {
  if (secret === '') return 'is empty';
  if (/\p{C}/u.test(secret)) return 'has a control character';
  const segments = secret.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'has a segment `.` or `..`';
  if (segments.slice(1).includes('')) return 'has an empty segment (`//`, or a slash at the end)';
  return undefined;
}

/**
 * Whether an anchored pattern matches a secret's name. What starts with `arn:` or with a slash is matched only by a pattern that does too:
 * no wildcard widens a rule about names to one about ARNs.
 */
export function matchesSecret(pattern: string, secret: string, namespace: string): boolean {
  if (secretPatternMistake(pattern) !== undefined || secretNameMistake(secret) !== undefined) return false;
  if (pattern.startsWith('arn:') !== secret.startsWith('arn:')) return false;
  if (pattern.startsWith('/') !== secret.startsWith('/')) return false;
  return runs(stepsOf(pattern, namespace), secret);
}

/** Whether a pattern, where `*` is any run of characters, matches a name without slashes. */
export function matchesName(pattern: string, name: string): boolean {
  return runs(
    Array.from(pattern, (character) => (character === '*' ? { kind: 'star' } : { kind: 'character', character })),
    name,
  );
}

function stepsOf(pattern: string, namespace: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [index, segment] of pattern.split('/').entries()) {
    if (index > 0) steps.push({ kind: 'character', character: '/' });
    steps.push(...segmentSteps(segment, namespace));
  }
  return steps;
}

function segmentSteps(segment: string, namespace: string): readonly Step[] {
  // A namespace's name is plain text here, whatever stands in it.
  if (segment === '{namespace}') return Array.from(namespace, (character) => ({ kind: 'character', character }));
  const wide = segment.endsWith('**');
  const plain = wide ? segment.slice(0, -2) : segment;
  const steps: Step[] = Array.from(plain, (character) =>
    character === '*' ? { kind: 'star' } : { kind: 'character', character },
  );
  if (wide) steps.push({ kind: 'globstar' });
  return steps;
}

/**
 * Walks the text once with the set of all steps that may come next, so that the time is bounded by text times pattern: rules and names are
 * other people's input, and a backtracking matcher can be kept busy with them.
 */
function runs(steps: readonly Step[], text: string): boolean {
  let live: ReadonlySet<number> = enter(steps, 0, new Set());
  for (const character of text) {
    live = advance(steps, live, character);
    if (live.size === 0) return false;
  }
  return live.has(steps.length);
}

function advance(steps: readonly Step[], live: ReadonlySet<number>, character: string): ReadonlySet<number> {
  const next = new Set<number>();
  for (const at of live) {
    const step = steps[at];
    if (step === undefined || !accepts(step, character)) continue;
    enter(steps, step.kind === 'character' ? at + 1 : at, next);
  }
  return next;
}

function accepts(step: Step, character: string): boolean {
  if (step.kind === 'character') return step.character === character;
  return step.kind === 'globstar' || character !== '/';
}

/** Adds a step to those that may come next, and what follows it where it is a wildcard, which may stand for nothing. */
function enter(steps: readonly Step[], at: number, live: Set<number>): Set<number> {
  let position = at;
  live.add(position);
  while (position < steps.length && steps[position]?.kind !== 'character') {
    position += 1;
    live.add(position);
  }
  return live;
}
