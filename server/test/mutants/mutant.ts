/** One small fault of the ledger, made by hand, that the suite must notice. */
export type Mutant = {
  /** What is wrong then. */
  name: string;
  /** The file it is made in, from the root of the repository. */
  file: string;
  /** Text of the file that occurs in it once. */
  find: string;
  replace: string;
  /** The test files most likely to notice, below the credits domain; the others are asked after these. */
  tests: string[];
};

/** How often the text occurs; a mutant can be made only where it is exactly once. */
export function countOccurrences(text: string, find: string): number {
  return text.split(find).length - 1;
}

/** A migration of the ledger, by its name without the ending. */
export function migration(name: string): string {
  return `server/src/db/migrations/${name}.sql`;
}
