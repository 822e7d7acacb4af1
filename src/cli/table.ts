/** A column of a table. */
export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => string;
  /** Shown by `-o wide` only. */
  readonly wide?: true;
  readonly colour?: (row: Row) => Colour | undefined;
}

export type Colour = 'red' | 'green' | 'yellow' | 'dim';

export interface TableOptions {
  readonly wide?: boolean;
  readonly colour?: boolean;
}

const GAP = '   ';
const NOTHING = '-';
const codes = { red: 31, green: 32, yellow: 33, dim: 2 } as const satisfies Record<Colour, number>;

/** Columns as kubectl prints them, with a line end after each line. A cell that would be empty is `-`. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions = {},
): string {
  const shown = columns.filter((column) => column.wide !== true || options.wide === true);
  const cells = rows.map((row) => shown.map((column) => cell(column.value(row))));
  const widths = shown.map(({ header }, index) =>
    Math.max(header.length, ...cells.map((line) => width(line[index] ?? ''))),
  );
  const last = shown.length - 1;
  const padded = (text: string, index: number): string =>
    index === last ? text : text + ' '.repeat((widths[index] ?? 0) - width(text));
  const head = shown.map(({ header }, index) => padded(header, index)).join(GAP);
  const body = rows.map((row, line) =>
    shown
      .map((column, index) => {
        const text = padded(cells[line]?.[index] ?? '', index);
        return paint(text, options.colour === true ? column.colour?.(row) : undefined);
      })
      .join(GAP),
  );
  return [head, ...body].map((line) => `${line.trimEnd()}\n`).join('');
}

/** Text in a colour of the terminal, or as it is. */
export function paint(text: string, colour: Colour | undefined): string {
  return colour === undefined ? text : `\u001b[${codes[colour]}m${text}\u001b[0m`;
}

/** What others wrote must not move the cursor nor break the line. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

function cell(text: string): string {
  const clean = printable(text);
  return clean === '' ? NOTHING : clean;
}

function width(text: string): number {
  return Array.from(text).length;
}

/** How long something took or is old, as kubectl says it: 45s, 12m, 5h, 9d, 2y. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const steps = [
    { size: 365 * 86_400, from: 2 * 365 * 86_400, unit: 'y' },
    { size: 86_400, from: 2 * 86_400, unit: 'd' },
    { size: 3600, from: 3 * 3600, unit: 'h' },
    { size: 60, from: 120, unit: 'm' },
  ];
  const step = steps.find(({ from }) => seconds >= from);
  return step === undefined ? `${seconds}s` : `${Math.floor(seconds / step.size)}${step.unit}`;
}
