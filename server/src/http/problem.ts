import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorTable, type ErrorCode, type FieldError } from '../errors.ts';
import type { FailureLog } from '../failure-log.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** BASE_URL: the origin under which clients reach the service. */
    publicUrl: string;
    failureLog: FailureLog;
  }
}

/** The address of the page that explains a code; `type` of a problem document. */
function problemType(baseUrl: string, code: ErrorCode): string {
  return `${baseUrl}/docs/errors#${code}`;
}

/** The public half of a refusal; private detail stays in `cause`. @see RFC 9457 §3 */
export function problemDocument(
  error: AppError,
  request: { baseUrl: string; requestId: string; instance?: string | undefined },
): Record<string, unknown> {
  const entry = errorTable[error.code];
  const { detail, errors, extensions } = error.options;
  const members = {
    type: problemType(request.baseUrl, error.code),
    title: entry.title,
    status: entry.status,
    detail: detail ?? entry.detail,
    ...(request.instance === undefined ? {} : { instance: request.instance }),
    code: error.code,
    requestId: request.requestId,
    ...(errors ? { errors } : {}),
  };
  return { ...members, ...extensions, ...members };
}

/**
 * Answers with a problem document made from the table.
 */
function sendProblem(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  const problem = problemDocument(error, {
    baseUrl: request.server.publicUrl,
    requestId: request.id,
    instance: request.url.split('?')[0],
  });
  return reply
    .code(error.status)
    .headers({ ...error.options.headers, ...challengeOf(request, error) })
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem);
}

/**
 * A 401 names its scheme, and at the API, like a 403 for want of scope, where to read who gives out tokens
 * for it. Credentials of applications are asked for in their own way. @see RFC 9110 §15.5.2, RFC 9728 §5.1
 */
function challengeOf(request: FastifyRequest, error: AppError): Record<string, string> {
  const { 'www-authenticate': given } = error.options.headers ?? {};
  const challenge = given ?? (error.status === 401 ? 'Bearer' : undefined);
  if (challenge === undefined) return {};
  if (!challenge.startsWith('Bearer') || !request.url.startsWith('/api/'))
    return { 'www-authenticate': challenge };
  const separator = challenge === 'Bearer' ? ' ' : ', ';
  const metadata = `${request.server.publicUrl}/.well-known/oauth-protected-resource`;
  return { 'www-authenticate': `${challenge}${separator}resource_metadata="${metadata}"` };
}

/**
 * The one error handler: every failure of a route becomes a problem document, private detail goes to the log.
 */
export function handleError(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const appError = error instanceof AppError ? error : fromFrameworkError(error);
  logRefusal(request, appError);
  return sendProblem(request, reply, appError);
}

/** Writes down what was refused: our own faults for the operator, the rest for whoever looks closely. */
export function logRefusal(request: FastifyRequest, error: AppError): void {
  if (error.status < 500) return request.log.debug({ err: error }, error.code);
  const { method, routeOptions } = request;
  const facts = { method, route: routeOptions.url };
  request.server.failureLog.write(request.log, { error, message: error.code, facts });
}

const frameworkCodes: Record<string, ErrorCode> = {
  FST_ERR_BAD_URL: 'request.invalid_address',
  FST_ERR_MAX_PARAM_LENGTH: 'request.address_too_long',
  FST_ERR_CTP_INVALID_JSON_BODY: 'request.invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'request.invalid_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'request.unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'request.too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request.invalid',
};

function fromFrameworkError(error: FastifyError): AppError {
  if (error.validation) {
    const part = error.validationContext === 'querystring' ? 'query' : (error.validationContext ?? 'request');
    const errors: FieldError[] = error.validation.map((failure) => ({
      path: `/${part}${failure.instancePath ?? ''}${missingProperty(failure.params)}`,
      message: failure.message ?? 'is not valid',
    }));
    return new AppError('request.invalid', { errors, cause: error });
  }
  const known = frameworkCodes[error.code];
  if (known) return new AppError(known, { cause: error });
  // The JSON parser says 400 of a syntax error or a poisoned key; any other SyntaxError is a fault of ours.
  if (error instanceof SyntaxError && error.statusCode === 400) {
    return new AppError('request.invalid_json', { cause: error });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new AppError('request.invalid', { cause: error });
  }
  return new AppError('server.internal', { cause: error });
}

function missingProperty(params: Record<string, unknown> | undefined): string {
  return typeof params?.missingProperty === 'string' ? `/${params.missingProperty}` : '';
}
