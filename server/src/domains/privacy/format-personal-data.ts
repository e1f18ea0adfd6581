import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { PersonalSection } from './collect-personal-data.ts';

const newline = '\n';

/** One JSON document, made while it is read: `{exportedAt, sections: {place: [rows]}}`. */
export async function* formatPersonalDataAsJson(
  sections: PersonalSection[],
  exportedAt: Date,
): AsyncGenerator<string> {
  yield `{"exportedAt":${JSON.stringify(exportedAt)},"sections":{`;
  for (const [index, { name, rows }] of sections.entries()) {
    yield `${index === 0 ? '' : ','}${newline}${JSON.stringify(name)}:[`;
    let separator = '';
    for await (const row of rows()) {
      yield `${separator}${JSON.stringify(row)}`;
      separator = `,${newline}`;
    }
    yield ']';
  }
  yield `}}${newline}`;
}

/** The same as a zip with a file for each place, one row a line, made while it is read. */
export function formatPersonalDataAsZip(sections: PersonalSection[], exportedAt: Date): Readable {
  const zip = new ZipFile();
  const output = new Readable().wrap(zip.outputStream);
  for (const { name, rows } of sections) {
    zip.addReadStreamLazy(`${name}.jsonl`, { mtime: exportedAt }, (done) => {
      const lines = Readable.from(linesOf(rows()));
      lines.on('error', (error) => output.destroy(error));
      done(null, lines);
    });
  }
  zip.end();
  return output;
}

async function* linesOf(rows: AsyncIterable<Record<string, unknown>>): AsyncGenerator<Buffer> {
  for await (const row of rows) yield Buffer.from(`${JSON.stringify(row)}${newline}`);
}
