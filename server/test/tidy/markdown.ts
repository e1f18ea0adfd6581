/** A piece of a Markdown document: a line of a shell block, inline code, or the target of a link. */
export type Piece = { text: string; line: number; isBlock: boolean };

type Line = { text: string; line: number; fence: string | undefined };

const shells = new Set(['bash', 'sh', 'shell', 'console', 'text']);

/** The lines of a document, each with the language of the fenced block it stands in. */
function linesOf(markdown: string): Line[] {
  let fence: string | undefined;
  return markdown.split('\n').flatMap((text, index) => {
    const mark = /^\s*(?:```|~~~)\s*(\w*)/.exec(text);
    if (!mark) return [{ text, line: index + 1, fence }];
    fence = fence === undefined ? (mark[1] ?? '') : undefined;
    return [];
  });
}

/** Lines of shell blocks, and inline code outside blocks. */
export function codePiecesOf(markdown: string): Piece[] {
  return linesOf(markdown).flatMap(({ text, line, fence }): Piece[] => {
    if (fence === undefined) {
      return [...text.matchAll(/`([^`]+)`/g)].map((match) => ({
        text: match[1] ?? '',
        line,
        isBlock: false,
      }));
    }
    return shells.has(fence) ? [{ text: text.replace(/(^|\s)#.*$/, ''), line, isBlock: true }] : [];
  });
}

/** Links to files of ours: everything that is not an address of its own. */
export function linksOf(markdown: string): Piece[] {
  return linesOf(markdown).flatMap(({ text, line, fence }) =>
    fence === undefined
      ? [...text.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
          .map((match) => ({ text: match[1] ?? '', line, isBlock: false }))
          .filter((piece) => !/^([a-z]+:|\/)/.test(piece.text))
      : [],
  );
}

/** The anchors of a document: its headings the way Markdown viewers name them. */
export function headingsOf(markdown: string): Set<string> {
  const headings = linesOf(markdown)
    .filter(({ text, fence }) => fence === undefined && /^#{1,6}\s/.test(text))
    .map(({ text }) => text.replace(/^#+\s+/, '').toLowerCase());
  const explicit = [...markdown.matchAll(/<a id="([^"]+)">/g)].map((match) => match[1] ?? '');
  return new Set([
    ...headings.map((text) =>
      text
        .replaceAll(/[^\w\s-]/g, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
    ...explicit,
  ]);
}
