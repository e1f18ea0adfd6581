/** One thing that is wrong with a call. `issue` is the code that programs look at. */
export type Issue = { issue: string; description: string; field?: string; value?: string; location?: string };
export type Link = { href: string; rel: string; method: string };

/** A refusal in PayPal's form. @see https://developer.paypal.com/api/rest/responses/ */
export class PayPalRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Issue[];
  readonly links: Link[];

  constructor(status: number, code: string, message: string, details: Issue[] = [], links: Link[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.links = links;
  }

  static missing(field: string): PayPalRefusal {
    const issue = {
      field,
      location: 'body',
      issue: 'MISSING_REQUIRED_PARAMETER',
      description: 'A required field is missing.',
    };
    return PayPalRefusal.malformed(issue);
  }

  static invalid(field: string, value: unknown, description: string): PayPalRefusal {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return PayPalRefusal.malformed({
      field,
      value: shown,
      location: 'body',
      issue: 'INVALID_PARAMETER_SYNTAX',
      description,
    });
  }

  private static malformed(issue: Issue): PayPalRefusal {
    const message = 'Request is not well-formed, syntactically incorrect, or violates schema.';
    return new PayPalRefusal(400, 'INVALID_REQUEST', message, [issue]);
  }

  static notFound(): PayPalRefusal {
    return new PayPalRefusal(404, 'RESOURCE_NOT_FOUND', 'The specified resource does not exist.', [
      {
        issue: 'INVALID_RESOURCE_ID',
        description: 'Specified resource ID does not exist. Please check the resource ID and try again.',
      },
    ]);
  }

  /** A call that is well formed and cannot be done as things are. */
  static unprocessable(issue: string, description: string, links: Link[] = []): PayPalRefusal {
    const message =
      'The requested action could not be performed, semantically incorrect, or failed business validation.';
    return new PayPalRefusal(422, 'UNPROCESSABLE_ENTITY', message, [{ issue, description }], links);
  }
}
