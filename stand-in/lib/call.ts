/** A call as it arrived. `query` is without its question mark. */
export type Call = {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string | undefined>;
  body: Buffer;
};

/** What is answered: JSON, or the text of a page. */
export type Reply = {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
};
