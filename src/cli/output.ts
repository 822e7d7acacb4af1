import { stringify } from 'yaml';
import type { CliContext } from './context.ts';
import { type Column, renderTable } from './table.ts';

/** Something to print: objects for programs, a table for people. */
export interface Listing<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** What `-o json` and `-o yaml` print. Default: the rows. */
  readonly data?: unknown;
  /** Noted, apart from the results, where there is no row. */
  readonly empty: string;
}

/** Prints as `-o` says. */
export function printListing<Row>(context: CliContext, listing: Listing<Row>): void {
  const format = context.output();
  if (format === 'json' || format === 'yaml') {
    printData(context, listing.data ?? listing.rows, format);
  } else if (listing.rows.length === 0) {
    context.io.note(listing.empty);
  } else {
    const options = { wide: format === 'wide', colour: context.colour() };
    context.io.out(renderTable(listing.columns, listing.rows, options));
  }
}

/** Prints one object: its data for programs, `text` for people. */
export function printObject(context: CliContext, data: unknown, text: () => string): void {
  const format = context.output();
  if (format === 'json' || format === 'yaml') {
    printData(context, data, format);
  } else {
    context.io.out(text());
  }
}

function printData(context: CliContext, data: unknown, format: 'json' | 'yaml'): void {
  context.io.out(format === 'json' ? `${JSON.stringify(data, null, 2)}\n` : stringify(data));
}
