/** What Stripe says when it refuses a call. @see https://docs.stripe.com/api/errors */
export type StripeErrorBody = {
  error: {
    type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
    message: string;
    code?: string;
    decline_code?: string;
    param?: string;
    doc_url?: string;
    payment_intent?: unknown;
    payment_method?: unknown;
  };
};

/** A refusal in Stripe's form. */
export class StripeRefusal extends Error {
  readonly status: number;
  readonly body: StripeErrorBody;

  constructor(status: number, error: StripeErrorBody['error']) {
    super(error.message);
    this.status = status;
    this.body = { error: { ...error, ...(error.code ? { doc_url: docUrlOf(error.code) } : {}) } };
  }

  static missingParameter(param: string): StripeRefusal {
    const message = `Missing required param: ${param}.`;
    return new StripeRefusal(400, {
      type: 'invalid_request_error',
      code: 'parameter_missing',
      message,
      param,
    });
  }

  static wrongParameter(param: string, message: string): StripeRefusal {
    const code = 'parameter_invalid';
    return new StripeRefusal(400, {
      type: 'invalid_request_error',
      code,
      message: `${message} (${param})`,
      param,
    });
  }

  static unknownParameter(param: string): StripeRefusal {
    const message = `Received unknown parameter: ${param}`;
    return new StripeRefusal(400, {
      type: 'invalid_request_error',
      code: 'parameter_unknown',
      message,
      param,
    });
  }

  static missingResource(what: string, id: string, param = 'id'): StripeRefusal {
    const message = `No such ${what}: '${id}'`;
    return new StripeRefusal(404, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message,
      param,
    });
  }

  /** A call that does not fit the state that a thing is in. */
  static wrongState(message: string, code?: string): StripeRefusal {
    return new StripeRefusal(400, { type: 'invalid_request_error', message, ...(code ? { code } : {}) });
  }
}

function docUrlOf(code: string): string {
  return `https://docs.stripe.com/error-codes/${code.replaceAll('_', '-')}`;
}
