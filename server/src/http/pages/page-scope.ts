import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorPage } from '../../../../web/src/page.ts';
import type { App } from '../../app.ts';
import { AppError, errorTable } from '../../errors.ts';
import { handleError, logRefusal } from '../problem.ts';
import { sendReactPage } from './react-page.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Where the page of a refusal leads on to. */
    errorLinks?: ErrorPage['links'];
    /** Where somebody whose session has ended signs in again to come back; else to the sign-in page alone. */
    signsInAt?: (request: FastifyRequest) => string;
  }
}

/**
 * Registers pages: what `add` adds takes forms besides JSON, and answers every refusal with a page. Faults of
 * ours are logged as everywhere, and are pages, too. `answer` answers them otherwise.
 */
export function addPages(app: App, add: (pages: App) => void, answer = answerWithPage): void {
  void app.register(async (scope) => {
    const pages = scope as unknown as App;
    pages.decorateRequest('looking', null);
    pages.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request: FastifyRequest, body: string, done: (error: null, form: unknown) => void) =>
        done(null, Object.fromEntries(new URLSearchParams(body))),
    );
    pages.setErrorHandler(answer);
    add(pages);
  });
}

async function answerWithPage(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const refusal = toRefusal(error);
  logRefusal(request, refusal);
  const { status, title, detail } = errorTable[refusal.code];
  return sendReactPage(reply.headers(refusal.options.headers ?? {}), {
    name: 'error',
    status,
    code: refusal.code,
    title,
    detail: refusal.options.detail ?? detail,
    requestId: request.id,
    ...waysOn(request, refusal),
  });
}

/** Where the page of a refusal leads: who was signed out meanwhile, to where they sign in again. */
function waysOn(request: FastifyRequest, { code }: AppError): Pick<ErrorPage, 'links' | 'signInUrl'> {
  const { errorLinks = [], signsInAt } = request.routeOptions.config;
  if (code !== 'auth.session_ended') return { links: errorLinks };
  return { links: ['sign-in'], ...(signsInAt ? { signInUrl: signsInAt(request) } : {}) };
}

/** For addresses that browsers and programs open alike: a page for who takes one, else a problem document. */
export async function answerWithPageOrProblem(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (/\btext\/html\b/.test(request.headers.accept ?? '')) return answerWithPage(error, request, reply);
  handleError(error, request, reply);
  return reply;
}

/**
 * The whole service's answer to an error that no scope answers: a problem document, but a page for a browser
 * that asks for an address outside the API where there is nothing.
 */
export function answerAtLast(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const isAstray = request.is404 && request.method === 'GET' && !request.url.startsWith('/api/');
  return (isAstray ? answerWithPageOrProblem : handleError)(error, request, reply);
}

function toRefusal(error: FastifyError | AppError): AppError {
  if (error instanceof AppError) return error;
  const isClientError = (error.statusCode ?? 500) < 500;
  return new AppError(isClientError ? 'request.invalid' : 'server.internal', { cause: error });
}
