import { describe, expect, it } from 'vitest';
import { type Column, formatAge, printable, renderTable } from './table.ts';

interface Row {
  readonly name: string;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { header: 'NAME', value: ({ name }) => name, colour: ({ name }) => (name === 'bad' ? 'red' : undefined) },
  { header: 'SIZE', value: ({ name }) => String(name.length), wide: true },
  { header: 'NOTE', value: ({ note }) => note },
];
const rows: readonly Row[] = [
  { name: 'a-long-name', note: 'x' },
  { name: 'bad', note: '' },
];

describe('a table', () => {
  it('has its columns under their headers, and a dash where there is nothing', () => {
    expect(renderTable(columns, rows)).toBe('NAME          NOTE\na-long-name   x\nbad           -\n');
  });

  it('has more columns where it is wide', () => {
    expect(renderTable(columns, rows, { wide: true }).split('\n')[0]).toBe('NAME          SIZE   NOTE');
  });

  it('has colours only where they are asked for, which do not move columns', () => {
    expect(renderTable(columns, rows, { colour: true })).toContain('\u001b[31mbad        \u001b[0m   -');
    expect(renderTable(columns, rows)).not.toContain('\u001b');
  });

  it('lets nothing that others wrote break a line or move the cursor', () => {
    const text = renderTable(columns, [{ name: 'a\u001b[2J\nb', note: 'x\u202ey' }]);
    expect(text.split('\n')[1]).toBe('a [2J b   x y');
    expect(printable(' \u0000a ')).toBe('a');
  });
});

it.each([
  [-5, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [3 * 3_600_000, '3h'],
  [47 * 3_600_000, '47h'],
  [48 * 3_600_000, '2d'],
  [800 * 86_400_000, '2y'],
])('an age of %i ms is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});
