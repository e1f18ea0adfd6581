import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorTable, type ErrorCode, type FieldError } from '../errors.ts';

/** Where each error code is explained; `type` of a problem document. */
const errorDocsPath = '/docs/errors#';

/** Answers with a problem document made from the table. @see RFC 9457 §3 */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  const entry = errorTable[error.code];
  const { detail, errors, extensions, headers } = error.options;
  return reply
    .code(entry.status)
    .headers(headers ?? {})
    .type('application/problem+json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({
      type: `${errorDocsPath}${error.code}`,
      title: entry.title,
      status: entry.status,
      detail: detail ?? entry.detail,
      instance: request.url.split('?')[0],
      code: error.code,
      requestId: request.id,
      ...(errors ? { errors } : {}),
      ...extensions,
    });
}

/** The one error handler: every failure of a route becomes a problem document, private detail goes to the log. */
export function handleError(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const appError = error instanceof AppError ? error : fromFrameworkError(error);
  if (appError.status >= 500) request.log.error({ err: appError.options.cause ?? appError }, appError.code);
  else request.log.debug({ err: appError }, appError.code);
  return sendProblem(request, reply, appError);
}

const frameworkCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'request.invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'request.invalid_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'request.unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'request.too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request.invalid',
};

function fromFrameworkError(error: FastifyError): AppError {
  if (error.validation) {
    const errors: FieldError[] = error.validation.map((failure) => ({
      path: `/${error.validationContext ?? 'request'}${failure.instancePath ?? ''}${missingProperty(failure.params)}`,
      message: failure.message ?? 'is not valid',
    }));
    return new AppError('request.invalid', { errors, cause: error });
  }
  const known = frameworkCodes[error.code];
  if (known) return new AppError(known, { cause: error });
  if (error instanceof SyntaxError) return new AppError('request.invalid_json', { cause: error });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new AppError('request.invalid', { cause: error });
  }
  return new AppError('server.internal', { cause: error });
}

function missingProperty(params: Record<string, unknown> | undefined): string {
  return typeof params?.missingProperty === 'string' ? `/${params.missingProperty}` : '';
}
