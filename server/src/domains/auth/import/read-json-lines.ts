import type { FileRecord } from './import-file-error.ts';

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON lines, one object each; blank lines are none. A line that is longer than `lineMaxBytes`, is not
 * UTF-8 or is no JSON object is a problem of its own and hinders no other. Holds one line at a time.
 */
export async function* readJsonLines(
  chunks: AsyncIterable<Buffer>,
  lineMaxBytes: number,
): AsyncGenerator<FileRecord> {
  let record = 0;
  for await (const { line, bytes } of splitLines(chunks, lineMaxBytes)) {
    if (bytes !== undefined && isBlank(bytes)) continue;
    record += 1;
    const place = { record, line };
    yield bytes === undefined ? { ...place, problem: 'line_too_long' } : { ...place, ...readLine(bytes) };
  }
}

type Line = { line: number; /** Absent when it was too long. */ bytes: Buffer | undefined };

async function* splitLines(chunks: AsyncIterable<Buffer>, lineMaxBytes: number): AsyncGenerator<Line> {
  let line = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): Line => {
    const bytes = length > lineMaxBytes ? undefined : withoutMark(Buffer.concat(parts), line);
    parts = [];
    length = 0;
    return { line: line++, bytes };
  };
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= lineMaxBytes) parts.push(part);
    else parts = [];
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      yield take();
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

function withoutMark(bytes: Buffer, line: number): Buffer {
  const isMarked = line === 1 && bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark);
  return isMarked ? bytes.subarray(byteOrderMark.length) : bytes;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function readLine(bytes: Buffer): { fields: Record<string, unknown> } | { problem: string } {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { problem: 'not_utf8' };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { problem: 'not_an_object' };
    return { fields: value as Record<string, unknown> };
  } catch {
    return { problem: 'not_json' };
  }
}
