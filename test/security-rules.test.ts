import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const files = globSync('{src,test,scripts}/**/*.test.ts', { cwd: root })
  .filter((file) => file !== 'test/security-rules.test.ts')
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));

/** A title, or the part of one in a table of cases: a text that begins with the number of a rule. */
const title = /['"`](?<words>(?:security )?rule) (?<rule>\d+):/gi;

const titles = files.flatMap(({ file, text }) =>
  Array.from(text.matchAll(title), ({ groups }) => ({
    file,
    words: groups?.['words'] ?? '',
    rule: Number(groups?.['rule']),
  })),
);
const rules = Array.from({ length: 22 }, (_, index) => index + 1);

describe('the rules of security', () => {
  it.each(rules)('security rule %i is the beginning of the title of a test', (rule) => {
    const named = titles.filter((found) => found.words === 'security rule' && found.rule === rule);
    expect(named.map(({ file }) => file)).not.toEqual([]);
  });

  it('are called the same everywhere, and none by a number that no rule has', () => {
    const others = titles.filter(({ words, rule }) => words !== 'security rule' || !rules.includes(rule));
    expect(others).toEqual([]);
  });
});
